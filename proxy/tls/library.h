#pragma once

#include <openssl/base.h>
#include <openssl/ssl.h>

// What differs between the two BoringSSLs that Postern builds against (see README.md), and the offer that
// both directions share. No other file asks for a version.
namespace postern::tls {

// Key exchange groups, best first. P-256 stays: with TLS 1.2 an ECDSA certificate on a curve that is not in
// this list cannot be used.
#if defined(SSL_GROUP_X25519_MLKEM768)
inline constexpr const char* kGroups = "X25519MLKEM768:X25519:P-256:P-384";
#else
inline constexpr const char* kGroups = "X25519:P-256:P-384";
#endif

// TLS 1.2: ephemeral keys and authenticated encryption alone (RFC 9325 §4.2). In brackets the client chooses.
inline constexpr const char* kCiphers =
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305|"
    "ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
    "[ECDHE-ECDSA-AES256-GCM-SHA384|ECDHE-RSA-AES256-GCM-SHA384]";

// A context with the offer above. Aborts when memory is out: nothing else can fail.
bssl::UniquePtr<SSL_CTX> new_context(bool minimum_1_3);

}  // namespace postern::tls
