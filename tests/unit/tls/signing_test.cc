#include "proxy/tls/signing.h"

#include <doctest/doctest.h>
#include <latch>
#include <optional>
#include <thread>

#include "proxy/tls/certificates.h"
#include "proxy/tls/state.h"
#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

const CertificateFiles& rsa_files() {
  static const CertificateFiles files = authority().issue({.key = Key::Rsa2048});
  return files;
}

std::shared_ptr<ServerContext> server() {
  auto made = ServerContext::create({.certificates = {rsa_files()}});
  REQUIRE(made.has_value());
  return *made;
}

void do_elsewhere(const std::function<void()>& work) { std::thread(work).join(); }

// A front that waits for its signature, and the client that waits for the front.
struct Waiting {
  explicit Waiting(ServerContext& context, int version = TLS1_3_VERSION)
      : raw(raw_client_context(version)), client(raw.get()), front(context.accept(Protocol::Imap)) {
    begin();
  }
  Waiting(int version, Stream stream)
      : raw(raw_client_context(version)), client(raw.get()), front(std::move(stream)) {
    begin();
  }
  void begin() {
    REQUIRE(client.handshake({}, to_front) == Status::NeedInput);
    REQUIRE(front->handshake(to_front, to_client) == Status::Signing);
    to_front.clear();
  }

  // From here to the end of the handshake. In TLS 1.2 the client's last flight is still to come.
  Status finish(std::string_view first_input = {}) {
    Status status = front->handshake(first_input, to_client);
    while (status == Status::NeedInput && !to_client.empty()) {
      client.handshake(std::exchange(to_client, {}), to_front);
      status = front->handshake(std::exchange(to_front, {}), to_client);
    }
    return status;
  }

  bssl::UniquePtr<SSL_CTX> raw;
  RawEnd client;
  std::optional<Stream> front;
  std::string to_front;
  std::string to_client;
};

TEST_CASE("an RSA signature is made on another thread, with the algorithm that was agreed on") {
  struct Row {
    int version;
    std::uint16_t algorithm;
  };
  const auto context = server();
  for (const Row& row :
       {Row{TLS1_2_VERSION, SSL_SIGN_RSA_PKCS1_SHA256}, Row{TLS1_2_VERSION, SSL_SIGN_RSA_PKCS1_SHA384},
        Row{TLS1_2_VERSION, SSL_SIGN_RSA_PKCS1_SHA512}, Row{TLS1_2_VERSION, SSL_SIGN_RSA_PSS_RSAE_SHA256},
        Row{TLS1_2_VERSION, SSL_SIGN_RSA_PSS_RSAE_SHA512}, Row{TLS1_3_VERSION, SSL_SIGN_RSA_PSS_RSAE_SHA256},
        Row{TLS1_3_VERSION, SSL_SIGN_RSA_PSS_RSAE_SHA384},
        Row{TLS1_3_VERSION, SSL_SIGN_RSA_PSS_RSAE_SHA512}}) {
    CAPTURE(row.version);
    CAPTURE(row.algorithm);
    const auto raw = raw_client_context(row.version);
    SSL_CTX_set_verify_algorithm_prefs(raw.get(), &row.algorithm, 1);
    RawEnd end(raw.get());
    Stream front = context->accept(Protocol::Imap);
    std::string to_front;
    std::string to_client;
    REQUIRE(end.handshake({}, to_front) == Status::NeedInput);
    REQUIRE(front.handshake(to_front, to_client) == Status::Signing);
    CHECK(front.handshake({}, to_client) == Status::Signing);
    CHECK(to_client.empty());
    do_elsewhere(front.signing());
    Status status = front.handshake({}, to_client);
    Status theirs = Status::NeedInput;
    while (!to_client.empty()) {
      to_front.clear();
      theirs = end.handshake(std::exchange(to_client, {}), to_front);
      if (status == Status::NeedInput) status = front.handshake(to_front, to_client);
    }
    CHECK(theirs == Status::Done);
    CHECK(status == Status::Done);
    CHECK(SSL_get_peer_signature_algorithm(end.ssl()) == row.algorithm);
  }
}

TEST_CASE("an ECDSA signature is made at once") {
  const auto context = ServerContext::create({.certificates = {authority().issue({}), rsa_files()}});
  REQUIRE(context.has_value());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto raw = raw_client_context(version);
    RawEnd end(raw.get());
    Stream front = (*context)->accept(Protocol::Imap);
    std::string to_front;
    std::string to_client;
    REQUIRE(end.handshake({}, to_front) == Status::NeedInput);
    CHECK(front.handshake(to_front, to_client) == Status::NeedInput);
    CHECK_FALSE(to_client.empty());
  }
}

TEST_CASE("input is kept while a signature is made") {
  // TLS 1.3 lets a client send this at any time, and passes over it (RFC 8446 §5), if it is whole.
  const std::string ignored("\x14\x03\x03\x00\x01\x01", 6);
  const auto context = server();
  for (std::size_t with_hello = 0; with_hello <= ignored.size(); ++with_hello) {
    CAPTURE(with_hello);
    const auto raw = raw_client_context();
    RawEnd end(raw.get());
    Stream front = context->accept(Protocol::Imap);
    std::string to_front;
    std::string to_client;
    REQUIRE(end.handshake({}, to_front) == Status::NeedInput);
    to_front += ignored.substr(0, with_hello);
    REQUIRE(front.handshake(to_front, to_client) == Status::Signing);
    const std::string_view rest = std::string_view(ignored).substr(with_hello);
    REQUIRE(front.handshake(rest.substr(0, 2), to_client) == Status::Signing);
    do_elsewhere(front.signing());
    REQUIRE(front.handshake(rest.substr(std::min<std::size_t>(2, rest.size())), to_client) ==
            Status::NeedInput);
    to_front.clear();
    REQUIRE(end.handshake(to_client, to_front) == Status::Done);
    CHECK(front.handshake(to_front, to_client) == Status::Done);
  }
}

TEST_CASE("work for a stream that is gone does nothing, and work that is done twice is done once") {
  const auto context = server();
  Waiting gone(*context);
  const auto work = gone.front->signing();
  gone.front.reset();
  do_elsewhere(work);

  Waiting twice(*context);
  const auto again = twice.front->signing();
  std::thread other(again);
  again();
  other.join();
  CHECK(twice.finish() == Status::Done);
  again();
}

TEST_CASE("a stream may end at any moment of the work for it") {
  const auto context = server();
  for (int i = 0; i < 40; ++i) {
    Waiting waiting(*context);
    std::latch begun(1);
    std::thread other([&begun, work = waiting.front->signing()] {
      begun.count_down();
      work();
    });
    begun.wait();
    for (int pause = 0; pause < i * 50; ++pause) std::this_thread::yield();
    waiting.front.reset();
    other.join();
  }
}

TEST_CASE("a signature that cannot be made ends the handshake") {
  const auto certificate = load_certificate(rsa_files());
  REQUIRE(certificate.has_value());
  const auto wrong_key = new_key(Key::EcdsaP256);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
    auto state = std::make_unique<Stream::State>(
        context.get(), Handshake{.side = FrontHandshake{.server = nullptr, .protocol = Protocol::Imap}});
    std::get<FrontHandshake>(state->handshake->side).rsa_key = wrong_key.get();
    const std::vector<CRYPTO_BUFFER*> chain = certificate->links();
    REQUIRE(SSL_set_chain_and_key(state->ssl.get(), chain.data(), chain.size(), nullptr, &kSignedElsewhere) ==
            1);
    SSL_set_accept_state(state->ssl.get());

    Waiting waiting(version, Stream(std::move(state)));
    do_elsewhere(waiting.front->signing());
    CHECK(waiting.finish() == Status::Failed);
    CHECK(waiting.front->failure() == Failure::Protocol);
    CHECK(waiting.front->failure_text() == "private key operation failed");
  }
}

TEST_CASE("an RSA key signs and nothing else") {
  const auto raw = raw_client_context(TLS1_2_VERSION);
  SSL_CTX_set_strict_cipher_list(raw.get(), "AES128-GCM-SHA256");  // RSA key exchange
  RawEnd end(raw.get());
  Stream front = server()->accept(Protocol::Imap);
  std::string to_front;
  std::string to_client;
  REQUIRE(end.handshake({}, to_front) == Status::NeedInput);
  CHECK(front.handshake(to_front, to_client) == Status::Failed);
  CHECK(front.failure() == Failure::NoSharedCipher);
  CHECK(kSignedElsewhere.decrypt(nullptr, nullptr, nullptr, 0, nullptr, 0) == ssl_private_key_failure);
}

}  // namespace
}  // namespace postern::tls
