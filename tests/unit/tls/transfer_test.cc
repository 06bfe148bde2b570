#include <doctest/doctest.h>
#include <openssl/aead.h>

#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

std::shared_ptr<ServerContext> server() {
  static const auto context = ServerContext::create({.certificates = {authority().issue({})}});
  REQUIRE(context.has_value());
  return *context;
}

// Two streams of ours after their handshake.
struct Pair {
  Stream back;
  Stream front;
  std::string to_front;
  std::string to_back;

  Pair() : back(connect()), front(server()->accept(Protocol::Imap)) { REQUIRE(meet(back, front).done()); }
  static Stream connect() {
    static const auto client = ClientContext::create({.ca_file = authority().root_file()});
    REQUIRE(client.has_value());
    return (*client)->connect("mail.example.org", "");
  }
};

// BoringSSL as the client of a stream.
struct RawPair {
  bssl::UniquePtr<SSL_CTX> context;
  RawEnd client;
  Stream front;
  std::string to_front;
  std::string to_client;

  explicit RawPair(int version, const char* cipher = nullptr)
      : context(limited(version, cipher)), client(context.get()), front(server()->accept(Protocol::Imap)) {
    REQUIRE(meet(client, front).done());
  }
  static bssl::UniquePtr<SSL_CTX> limited(int version, const char* cipher) {
    auto made = raw_client_context(version);
    if (cipher != nullptr) REQUIRE(SSL_CTX_set_strict_cipher_list(made.get(), cipher) == 1);
    return made;
  }
};

TEST_CASE("a megabyte arrives each way, written and read in chunks of any size") {
  std::mt19937 random(7);
  const std::string sent = random_bytes(random, 1 << 20);
  Pair pair;
  const auto carry = [&](Stream& from, Stream& to, std::string& wire, std::string& answers) {
    std::string received;
    std::size_t written = 0;
    while (received.size() < sent.size()) {
      const std::size_t write = std::min<std::size_t>(1 + random() % 100'000, sent.size() - written);
      if (write > 0)
        REQUIRE(from.encrypt(std::string_view(sent).substr(written, write), wire) == Status::Done);
      written += write;
      while (!wire.empty()) {
        const std::size_t read = std::min<std::size_t>(1 + random() % 70'000, wire.size());
        received += decrypt_all(to, std::string_view(wire).substr(0, read), answers);
        wire.erase(0, read);
      }
    }
    CHECK(received == sent);
  };
  carry(pair.front, pair.back, pair.to_back, pair.to_front);
  carry(pair.back, pair.front, pair.to_front, pair.to_back);
}

TEST_CASE("bulk is one call, full records, and no more than their overhead") {
  Pair pair;
  const std::string plain(std::size_t{256} * 1024, 'm');
  REQUIRE(pair.front.encrypt("first, with the ticket", pair.to_back) == Status::Done);
  decrypt_all(pair.back, pair.to_back, pair.to_front);
  pair.to_back.clear();
  REQUIRE(pair.front.encrypt(plain, pair.to_back) == Status::Done);
  CHECK(pair.to_back.size() ==
        plain.size() + std::size_t{16} * 22);  // a header, a type and a tag for each 16 KiB
  CHECK(decrypt_all(pair.back, pair.to_back, pair.to_front) == plain);
}

TEST_CASE("nothing to encrypt writes nothing") {
  Pair pair;
  std::string output;
  pair.back.encrypt({}, output);
  CHECK(output.empty());
}

TEST_CASE("what does not fit waits for the next call, though our direction ends") {
  Pair pair;
  const std::string plain = "0123456789";
  for (int i = 0; i < 3; ++i) pair.back.encrypt(plain, pair.to_front);
  std::string received;
  std::string small(4, '\0');
  std::size_t size = 0;
  REQUIRE(pair.front.decrypt(pair.to_front, small, size, pair.to_back) == Status::Done);
  for (int i = 0; i < 2; ++i) pair.front.close_notify(pair.to_back);  // ours ends, the other does not
  do {
    received.append(small, 0, size);
    REQUIRE(pair.front.decrypt({}, small, size, pair.to_back) == Status::Done);
  } while (size > 0);
  CHECK(received == plain + plain + plain);
}

TEST_CASE("input byte by byte") {
  Pair pair;
  pair.back.encrypt("a LOGIN x y\r\n", pair.to_front);
  pair.back.encrypt("b NOOP\r\n", pair.to_front);
  std::string received;
  for (const char byte : pair.to_front) received += decrypt_all(pair.front, {&byte, 1}, pair.to_back);
  CHECK(received == "a LOGIN x y\r\nb NOOP\r\n");
}

TEST_CASE("close_notify ends one direction, after the bytes before it") {
  Pair pair;
  pair.back.encrypt("last words", pair.to_front);
  pair.back.close_notify(pair.to_front);
  const std::size_t once = pair.to_front.size();
  pair.back.close_notify(pair.to_front);
  CHECK(pair.to_front.size() == once);
  CHECK(decrypt_all(pair.front, pair.to_front, pair.to_back, Status::Closed) == "last words");
  CHECK(decrypt_all(pair.front, {}, pair.to_back, Status::Closed).empty());
  CHECK(pair.front.failure() == Failure::None);

  CHECK(pair.front.encrypt("* BYE\r\n", pair.to_back) == Status::Done);
  pair.front.close_notify(pair.to_back);
  CHECK(decrypt_all(pair.back, pair.to_back, pair.to_front, Status::Closed) == "* BYE\r\n");
  CHECK(pair.back.encrypt("too late", pair.to_front) == Status::Failed);
}

TEST_CASE("close_notify before the end of the handshake says nothing") {
  Stream back = Pair::connect();
  std::string output;
  back.close_notify(output);
  CHECK(output.empty());
}

TEST_CASE("a record that never ends gives nothing, and no end") {
  Pair pair;
  pair.back.encrypt("truncated", pair.to_front);
  pair.to_front.pop_back();
  CHECK(decrypt_all(pair.front, pair.to_front, pair.to_back).empty());
}

TEST_CASE("a changed byte fails the stream, after the good bytes before it, with an alert") {
  Pair pair;
  pair.back.encrypt("good", pair.to_front);
  const std::size_t good = pair.to_front.size();
  pair.back.encrypt("bad", pair.to_front);
  pair.to_front[good + 6] ^= 1;
  pair.to_back.clear();
  CHECK(decrypt_all(pair.front, pair.to_front, pair.to_back, Status::Failed) == "good");
  CHECK(pair.front.failure() == Failure::Protocol);
  CHECK(pair.front.failure_text() == "decryption failed or bad record mac");
  CHECK_FALSE(pair.to_back.empty());
  CHECK(decrypt_all(pair.back, pair.to_back, pair.to_front, Status::Failed).empty());
  CHECK(pair.back.failure() == Failure::AlertReceived);
  CHECK(pair.front.encrypt("more", pair.to_back) == Status::Failed);
  CHECK(decrypt_all(pair.front, pair.to_front, pair.to_back, Status::Failed).empty());
}

TEST_CASE("clear text after the handshake is broken TLS") {
  Pair pair;
  CHECK(decrypt_all(pair.front, "a NOOP\r\n", pair.to_back, Status::Failed).empty());
  CHECK(pair.front.failure() == Failure::Protocol);
}

TEST_CASE("a peer may update its key, and ask for ours") {
  RawPair pair(TLS1_3_VERSION);
  for (const int request : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    pair.to_front.clear();
    pair.to_client.clear();
    REQUIRE(SSL_key_update(pair.client.ssl(), request) == 1);
    pair.client.encrypt("new key", pair.to_front);
    CHECK(decrypt_all(pair.front, pair.to_front, pair.to_client) == "new key");
    REQUIRE(pair.front.encrypt("answer", pair.to_client) == Status::Done);
    CHECK(pair.client.decrypt(pair.to_client, pair.to_front) == "answer");
  }
}

TEST_CASE("a peer that only updates keys is stopped") {
  RawPair pair(TLS1_3_VERSION);
  for (int i = 0; i < 40; ++i) {
    REQUIRE(SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    SSL_write(pair.client.ssl(), "", 0);
    pair.client.flush(pair.to_front);
  }
  decrypt_all(pair.front, pair.to_front, pair.to_client, Status::Failed);
  CHECK(pair.front.failure_text() == "too many key updates");
}

// The record with which a TLS 1.2 client asks for a new handshake, encrypted with the keys of `ssl`, which
// must have agreed on AES-128-GCM with SHA-256 (RFC 5288) and have sent no application data.
std::string renegotiation(SSL* ssl) {
  std::uint8_t keys[40];  // client key, server key, client nonce, server nonce
  REQUIRE(SSL_get_key_block_len(ssl) == sizeof keys);
  REQUIRE(SSL_generate_key_block(ssl, keys, sizeof keys) == 1);
  bssl::ScopedEVP_AEAD_CTX cipher;
  REQUIRE(EVP_AEAD_CTX_init(cipher.get(), EVP_aead_aes_128_gcm(), keys, 16, 16, nullptr) == 1);
  const std::string hello("\x01\x00\x00\x04\x03\x03\x00\x00", 8);
  const std::string sequence("\0\0\0\0\0\0\0\1", 8);
  const std::string nonce = std::string(reinterpret_cast<char*>(keys) + 32, 4) + sequence;
  const std::string about = sequence + std::string("\x16\x03\x03\x00\x08", 5);
  std::uint8_t sealed[8 + 16];
  std::size_t size = 0;
  const auto octets = [](const std::string& text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
  };
  REQUIRE(EVP_AEAD_CTX_seal(cipher.get(), sealed, &size, sizeof sealed, octets(nonce), nonce.size(),
                            octets(hello), hello.size(), octets(about), about.size()) == 1);
  return std::string("\x16\x03\x03\x00\x20", 5) + sequence +
         std::string(reinterpret_cast<char*>(sealed), size);
}

TEST_CASE("renegotiation in TLS 1.2 is refused and ends the stream") {
  RawPair pair(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
  const std::string request = renegotiation(pair.client.ssl());
  CHECK(decrypt_all(pair.front, request, pair.to_client, Status::Failed).empty());
  CHECK(pair.front.failure() == Failure::Protocol);
  CHECK(pair.front.failure_text() == "no renegotiation");
}

TEST_CASE("both versions and every cipher carry data both ways") {
  for (const char* cipher :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    RawPair pair(TLS1_2_VERSION, cipher);
    pair.client.encrypt("there", pair.to_front);
    CHECK(decrypt_all(pair.front, pair.to_front, pair.to_client) == "there");
    REQUIRE(pair.front.encrypt("back", pair.to_client) == Status::Done);
    pair.to_front.clear();
    CHECK(pair.client.decrypt(pair.to_client, pair.to_front) == "back");
  }
}

}  // namespace
}  // namespace postern::tls
