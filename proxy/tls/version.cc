#include "proxy/tls/version.h"

#include <openssl/base.h>

namespace postern::tls {

std::string library_version() { return "BoringSSL API " + std::to_string(BORINGSSL_API_VERSION); }

}  // namespace postern::tls
