#include "bench/micro_tls.h"

#include <cstdlib>
#include <openssl/ec_key.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>

namespace postern::bench {

bssl::UniquePtr<EVP_PKEY> ecdsa_key() {
  bssl::UniquePtr<EC_KEY> key(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> made(EVP_PKEY_new());
  if (EC_KEY_generate_key(key.get()) != 1 || EVP_PKEY_set1_EC_KEY(made.get(), key.get()) != 1) std::abort();
  return made;
}

bssl::UniquePtr<EVP_PKEY> rsa_key() {
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  bssl::UniquePtr<RSA> key(RSA_new());
  bssl::UniquePtr<EVP_PKEY> made(EVP_PKEY_new());
  if (BN_set_word(exponent.get(), RSA_F4) != 1 ||
      RSA_generate_key_ex(key.get(), 2048, exponent.get(), nullptr) != 1 ||
      EVP_PKEY_set1_RSA(made.get(), key.get()) != 1) {
    std::abort();
  }
  return made;
}

bssl::UniquePtr<X509> certificate_of(EVP_PKEY* key) {
  bssl::UniquePtr<X509> made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 86'400);
  X509_set_pubkey(made.get(), key);
  if (X509_sign(made.get(), key, EVP_sha256()) == 0) std::abort();
  return made;
}

bssl::UniquePtr<SSL_CTX> client() {
  bssl::UniquePtr<SSL_CTX> made(SSL_CTX_new(TLS_client_method()));
  if (SSL_CTX_set1_curves_list(made.get(), "X25519:P-256") != 1) std::abort();
  SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION);
  return made;
}

}  // namespace postern::bench
