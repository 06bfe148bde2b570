#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string>

#include "bench/micro_tls.h"
#include "proxy/tls/context.h"

// How long the first flight of a handshake, where the signature is, holds a worker's loop.

namespace postern::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The certificate in files, as the proxy reads it.
class Files {
 public:
  explicit Files(EVP_PKEY* key) : folder_(make_folder()) {
    const bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(out.get(), certificate_of(key).get()) != 1) std::abort();
    write(paths().chain, out.get());
    if (PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) std::abort();
    write(paths().key, out.get());
  }
  Files(const Files&) = delete;
  ~Files() { std::filesystem::remove_all(folder_); }

  tls::CertificateFiles paths() const { return {folder_ + "/chain.pem", folder_ + "/key.pem"}; }

 private:
  static std::string make_folder() {
    std::string folder = std::filesystem::temp_directory_path() / "postern-bench-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    return folder;
  }

  static void write(const std::string& path, BIO* from) {
    const std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    if (BIO_mem_contents(from, &bytes, &size) != 1) std::abort();
    std::ofstream(path).write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    BIO_reset(from);
  }

  std::string folder_;
};

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

void hello(benchmark::State& state, bssl::UniquePtr<EVP_PKEY> (*key_of)(), Signer signer) {
  const auto key = key_of();
  const Files files(key.get());
  const auto server = tls::ServerContext::create({.certificates = {files.paths()}});
  if (!server) std::abort();
  const auto client_context = client();
  std::string output;
  for ([[maybe_unused]] auto _ : state) {
    const std::string sent = client_hello(client_context.get());
    tls::Stream stream = (*server)->accept(Protocol::Imap);
    output.clear();
    Clock::duration held{};
    const auto timed = [&held](const auto& step) {
      const auto began = Clock::now();
      const tls::Status status = step();
      held = std::max(held, Clock::now() - began);
      return status;
    };
    const auto go_on = [&stream, &output] { return stream.handshake({}, output); };
    const auto sign_and_go_on = [&stream, &go_on] {
      stream.signing()();
      return go_on();
    };
    tls::Status status = timed([&stream, &sent, &output, &sign_and_go_on, signer] {
      const tls::Status first = stream.handshake(sent, output);
      return first == tls::Status::Signing && signer == Signer::Loop ? sign_and_go_on() : first;
    });
    if (status == tls::Status::Signing) {
      stream.signing()();
      status = timed(go_on);
    }
    if (status != tls::Status::NeedInput) state.SkipWithError("no first flight");
    state.SetIterationTime(std::chrono::duration<double>(held).count());
  }
}
BENCHMARK_CAPTURE(hello, ecdsa, ecdsa_key, Signer::Loop)->UseManualTime();
BENCHMARK_CAPTURE(hello, rsa_on_the_loop, rsa_key, Signer::Loop)->UseManualTime();
BENCHMARK_CAPTURE(hello, rsa_beside_it, rsa_key, Signer::OtherThread)->UseManualTime();

}  // namespace
}  // namespace postern::bench
