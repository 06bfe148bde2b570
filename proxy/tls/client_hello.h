#pragma once

#include <cstdint>
#include <openssl/ssl.h>

namespace postern::tls {

// Whether the client can finish a handshake with an ECDSA certificate whose key is on `group`. TLS 1.3 binds
// the curve to the signature algorithm (RFC 8446 §4.2.3); TLS 1.2 asks for a cipher suite, the curve and any
// ECDSA algorithm (RFC 8422 §5.1). A client that leaves the question open gets no.
bool accepts_ecdsa(const SSL_CLIENT_HELLO& hello, std::uint16_t group);

}  // namespace postern::tls
