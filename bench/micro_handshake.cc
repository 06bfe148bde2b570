#include <array>
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <memory>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

// What BoringSSL itself takes for the server's side of a handshake, in memory: the floor of a login.

namespace postern::bench {
namespace {

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

bssl::UniquePtr<SSL_CTX> server_of(EVP_PKEY* key) {
  bssl::UniquePtr<SSL_CTX> made(SSL_CTX_new(TLS_server_method()));
  const auto certificate = certificate_of(key);
  if (SSL_CTX_use_certificate(made.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(made.get(), key) != 1) {
    std::abort();
  }
  SSL_CTX_set_num_tickets(made.get(), 1);
  return made;
}

bssl::UniquePtr<SSL_CTX> client() {
  bssl::UniquePtr<SSL_CTX> made(SSL_CTX_new(TLS_client_method()));
  if (SSL_CTX_set1_curves_list(made.get(), "X25519:P-256") != 1) std::abort();
  SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION);
  return made;
}

void handshake(benchmark::State& state, bssl::UniquePtr<EVP_PKEY> (*key_of)()) {
  const auto key = key_of();
  const auto server_context = server_of(key.get()), client_context = client();
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    bssl::UniquePtr<SSL> there(SSL_new(client_context.get()));
    BIO *here_bio = nullptr, *there_bio = nullptr;
    BIO_new_bio_pair(&here_bio, 0, &there_bio, 0);
    SSL_set_bio(there.get(), there_bio, there_bio);
    SSL_set_connect_state(there.get());
    SSL_do_handshake(there.get());
    state.ResumeTiming();
    bssl::UniquePtr<SSL> here(SSL_new(server_context.get()));
    SSL_set_bio(here.get(), here_bio, here_bio);
    SSL_set_accept_state(here.get());
    SSL_do_handshake(here.get());
    state.PauseTiming();
    SSL_do_handshake(there.get());
    state.ResumeTiming();
    if (SSL_do_handshake(here.get()) != 1) state.SkipWithError("no handshake");
    here.reset();
    state.PauseTiming();
    there.reset();
    state.ResumeTiming();
  }
}
BENCHMARK_CAPTURE(handshake, ecdsa, ecdsa_key);
BENCHMARK_CAPTURE(handshake, rsa, rsa_key);

}  // namespace
}  // namespace postern::bench
