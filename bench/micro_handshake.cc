#include <benchmark/benchmark.h>
#include <cstdlib>

#include "bench/micro_tls.h"

// What BoringSSL itself takes for the server's side of a handshake, in memory: the floor of a login.

namespace postern::bench {
namespace {

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
