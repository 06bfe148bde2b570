#include "proxy/tls/library.h"

#include <cstdlib>
#include <openssl/pool.h>

namespace postern::tls {
namespace {

// One copy of each peer's certificate for all sessions. It must outlive every stream, so it never dies.
CRYPTO_BUFFER_POOL* peer_certificates() {
  static CRYPTO_BUFFER_POOL* const kPool = CRYPTO_BUFFER_POOL_new();
  return kPool;
}

}  // namespace

bssl::UniquePtr<SSL_CTX> new_context(bool minimum_1_3) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  if (context == nullptr ||
      SSL_CTX_set_min_proto_version(context.get(), minimum_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_strict_cipher_list(context.get(), kCiphers) != 1 ||
      SSL_CTX_set1_curves_list(context.get(), kGroups) != 1) {
    std::abort();
  }
  SSL_CTX_set0_buffer_pool(context.get(), peer_certificates());
  return context;
}

}  // namespace postern::tls
