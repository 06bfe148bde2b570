#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdlib>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <string>

#include "proxy/tls/context.h"
#include "tests/unit/tls/authority.h"

// The server's side of a handshake, in memory: what BoringSSL itself takes for it, which is the floor of a
// login, and how long its first flight, where the signature is, holds a worker's loop.

namespace postern::bench {
namespace {

bssl::UniquePtr<SSL_CTX> server_of(const tls::CertificateFiles& files) {
  bssl::UniquePtr<SSL_CTX> made(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate_chain_file(made.get(), files.chain.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(made.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    std::abort();
  }
  SSL_CTX_set_num_tickets(made.get(), 1);
  return made;
}

// Offers TLS 1.3 and believes every certificate.
bssl::UniquePtr<SSL_CTX> client() {
  bssl::UniquePtr<SSL_CTX> made(SSL_CTX_new(TLS_client_method()));
  if (SSL_CTX_set1_curves_list(made.get(), "X25519:P-256") != 1) std::abort();
  SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION);
  return made;
}

void handshake(benchmark::State& state, tls::Key key) {
  const auto server_context = server_of(tls::authority().issue({.key = key})), client_context = client();
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
BENCHMARK_CAPTURE(handshake, ecdsa, tls::Key::EcdsaP256);
BENCHMARK_CAPTURE(handshake, rsa, tls::Key::Rsa2048);

std::string client_hello(SSL_CTX* context) {
  const bssl::UniquePtr<SSL> there(SSL_new(context));
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(there.get(), BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(there.get());
  SSL_do_handshake(there.get());
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (BIO_mem_contents(out, &bytes, &size) != 1) std::abort();
  return {reinterpret_cast<const char*>(bytes), size};
}

enum class Signer { Loop, OtherThread };

// The longest that the loop is held at a time.
void hello(benchmark::State& state, tls::Key key, Signer signer) {
  using Clock = std::chrono::steady_clock;
  const auto server = tls::ServerContext::create({.certificates = {tls::authority().issue({.key = key})}});
  if (!server) std::abort();
  const auto client_context = client();
  std::string output;
  for ([[maybe_unused]] auto _ : state) {
    const std::string sent = client_hello(client_context.get());
    tls::Stream stream = (*server)->accept(Protocol::Imap);
    output.clear();
    const auto began = Clock::now();
    tls::Status status = stream.handshake(sent, output);
    Clock::duration held = Clock::now() - began;
    if (status == tls::Status::Signing) {
      const auto work = stream.signing();
      const auto signing = Clock::now();
      work();
      const auto made = Clock::now();
      status = stream.handshake({}, output);
      const auto rest = Clock::now() - made;
      held = signer == Signer::Loop ? held + (made - signing) + rest : std::max(held, rest);
    }
    if (status != tls::Status::NeedInput) state.SkipWithError("no first flight");
    state.SetIterationTime(std::chrono::duration<double>(held).count());
  }
}
BENCHMARK_CAPTURE(hello, ecdsa, tls::Key::EcdsaP256, Signer::Loop)->UseManualTime();
BENCHMARK_CAPTURE(hello, rsa_on_the_loop, tls::Key::Rsa2048, Signer::Loop)->UseManualTime();
BENCHMARK_CAPTURE(hello, rsa_beside_it, tls::Key::Rsa2048, Signer::OtherThread)->UseManualTime();

}  // namespace
}  // namespace postern::bench
