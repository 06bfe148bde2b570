#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace postern::bench {

// Keys as administrators have them: ECDSA on P-256, and RSA of 2,048 bits.
bssl::UniquePtr<EVP_PKEY> ecdsa_key();
bssl::UniquePtr<EVP_PKEY> rsa_key();

// Signed by itself.
bssl::UniquePtr<X509> certificate_of(EVP_PKEY* key);

// Offers TLS 1.3 and believes every certificate.
bssl::UniquePtr<SSL_CTX> client();

}  // namespace postern::bench
