#pragma once

#include <cstdint>
#include <expected>
#include <openssl/evp.h>
#include <openssl/pool.h>
#include <string>
#include <vector>

#include "proxy/tls/context.h"

namespace postern::tls {

// A chain and its private key, ready to be offered.
struct Certificate {
  CertificateInfo info;
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;  // DER, the leaf first
  bssl::UniquePtr<EVP_PKEY> key;
  std::uint16_t group = 0;  // ECDSA: the key's curve as a TLS group; RSA: 0

  std::vector<CRYPTO_BUFFER*> links() const;  // the chain as the library takes it
};

// Both files must be whole, belong together, and hold a key that clients can use: ECDSA on P-256 or P-384, or
// RSA of 2048 bits and more. Expired certificates load: see CertificateInfo::not_after.
// The error is one sentence that begins with the name of the file at fault.
std::expected<Certificate, std::string> load_certificate(const CertificateFiles& files);

}  // namespace postern::tls
