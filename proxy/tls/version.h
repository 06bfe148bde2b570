#pragma once

#include <string>

namespace postern::tls {

// Which BoringSSL was compiled against: its API version counts up with incompatible changes.
std::string library_version();

}  // namespace postern::tls
