#include <doctest/doctest.h>
#include <openssl/err.h>

#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

std::shared_ptr<ServerContext> server(bool minimum_1_3 = false) {
  static const CertificateFiles files = authority().issue({});
  auto made = ServerContext::create({.certificates = {files}, .minimum_1_3 = minimum_1_3});
  REQUIRE(made.has_value());
  return *made;
}

std::shared_ptr<ClientContext> client() {
  auto made = ClientContext::create({.ca_file = authority().root_file()});
  REQUIRE(made.has_value());
  return *made;
}

TEST_CASE("a client and a server of ours agree on TLS 1.3 and the best of each list") {
  Stream back = client()->connect("mail.example.org", "");
  Stream front = server()->accept(Protocol::Imap);
  REQUIRE(meet(back, front).done());
  for (const Agreement& agreed : {front.agreement(), back.agreement()}) {
    CHECK(agreed.version == "TLSv1.3");
    CHECK(agreed.cipher.starts_with("TLS_"));
#if defined(SSL_GROUP_X25519_MLKEM768)
    CHECK(agreed.group == "X25519MLKEM768");
#else
    CHECK(agreed.group == "X25519");
#endif
    CHECK_FALSE(agreed.resumed);
  }
  CHECK(front.server_name() == "mail.example.org");
  CHECK(front.failure() == Failure::None);
  CHECK(front.failure_text().empty());
}

TEST_CASE("a handshake works in pieces of any size") {
  const auto context = server();
  const auto clients = client();
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 7U, 64U, 1000U}) {
    CAPTURE(piece);
    Stream back = clients->connect("mail.example.org", std::to_string(piece));
    Stream front = context->accept(Protocol::Imap);
    REQUIRE(meet(back, front, piece).done());
  }
}

TEST_CASE("versions: 1.2 and 1.3 alone, or 1.3 alone") {
  struct Row {
    int maximum;
    bool minimum_1_3;
    Failure failure;
    std::string_view version;
  };
  for (const Row& row : {Row{TLS1_VERSION, false, Failure::UnsupportedVersion, ""},
                         Row{TLS1_1_VERSION, false, Failure::UnsupportedVersion, ""},
                         Row{TLS1_2_VERSION, false, Failure::None, "TLSv1.2"},
                         Row{TLS1_2_VERSION, true, Failure::UnsupportedVersion, ""},
                         Row{TLS1_3_VERSION, false, Failure::None, "TLSv1.3"},
                         Row{TLS1_3_VERSION, true, Failure::None, "TLSv1.3"}}) {
    CAPTURE(row.maximum);
    CAPTURE(row.minimum_1_3);
    const auto raw = raw_client_context(row.maximum);
    RawEnd end(raw.get());
    Stream front = server(row.minimum_1_3)->accept(Protocol::Imap);
    const Meeting meeting = meet(end, front);
    CHECK(front.failure() == row.failure);
    CHECK(meeting.done() == (row.failure == Failure::None));
    if (row.failure == Failure::None) CHECK(front.agreement().version == row.version);
  }
}

TEST_CASE("a client that shares no cipher, group or signature is refused with an alert") {
  struct Row {
    const char* what;
    int version;
    void (*limit)(SSL_CTX*);
  };
  const Row rows[] = {
      {"CBC", TLS1_2_VERSION,
       [](SSL_CTX* c) { SSL_CTX_set_strict_cipher_list(c, "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"); }},
      {"RSA key exchange", TLS1_2_VERSION,
       [](SSL_CTX* c) { SSL_CTX_set_strict_cipher_list(c, "AES128-GCM-SHA256"); }},
      {"certificate of another kind", TLS1_2_VERSION,
       [](SSL_CTX* c) { SSL_CTX_set_strict_cipher_list(c, "ECDHE-RSA-AES128-GCM-SHA256"); }},
      {"group", TLS1_3_VERSION, [](SSL_CTX* c) { SSL_CTX_set1_curves_list(c, "P-521"); }},
      {"signature", TLS1_3_VERSION,
       [](SSL_CTX* c) {
         const std::uint16_t only[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256};
         SSL_CTX_set_verify_algorithm_prefs(c, only, 1);
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto raw = raw_client_context(row.version);
    row.limit(raw.get());
    RawEnd end(raw.get());
    Stream front = server()->accept(Protocol::Imap);
    std::string hello;
    std::string answer;
    CHECK(end.handshake({}, hello) == Status::NeedInput);
    CHECK(front.handshake(hello, answer) == Status::Failed);
    CHECK(front.failure() == Failure::NoSharedCipher);
    CHECK(answer.size() >= 7);  // in TLS 1.3 some libraries say so after their hello
    CHECK(front.handshake(hello, answer) == Status::Failed);  // and stays so
  }
}

TEST_CASE("bytes that are no TLS are told from broken TLS") {
  using namespace std::string_literals;
  struct Row {
    std::string bytes;
    Failure failure;
  };
  for (const Row& row :
       {Row{"a NOOP\r\n", Failure::NotTls}, Row{"a", Failure::NotTls}, Row{"\r\n", Failure::NotTls},
        Row{"GET / HTTP/1.1\r\n\r\n", Failure::NotTls}, Row{"\0\0\0\0\0\0"s, Failure::NotTls},
        Row{"\x16garbage garbage", Failure::NotTls}, Row{"\xc3\xa4\xc3\xb6\xc3\xbc", Failure::NotTls},
        Row{"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"s, Failure::Protocol},
        Row{"\x16\x03\x01\xff\xff" + std::string(70000, 'x'), Failure::Protocol},
        Row{"\x17\x03\x03\x00\x05hello"s, Failure::Protocol},
        Row{"\x15\x03\x01\x00\x02\x02\x28"s, Failure::AlertReceived}}) {
    CAPTURE(row.bytes.substr(0, 20));
    Stream front = server()->accept(Protocol::Imap);
    std::string answer;
    CHECK(front.handshake(row.bytes, answer) == Status::Failed);
    CHECK(name_of(front.failure()) == name_of(row.failure));
    CHECK_FALSE(front.failure_text().empty());
  }
}

TEST_CASE("an SSL 2.0 hello is refused and never answered with a handshake") {
  using namespace std::string_literals;
  const std::string hello =
      "\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x07\x00\xc0"s + std::string(16, 'c');
  Stream front = server()->accept(Protocol::Imap);
  std::string answer;
  CHECK(front.handshake(hello, answer) == Status::Failed);
  CHECK((answer.empty() || answer[0] == 21));
}

TEST_CASE("random bytes, and a hello with one byte changed, never crash") {
  std::mt19937 random(1);
  const auto context = server();
  const auto clients = client();
  for (int i = 0; i < 300; ++i) {
    std::string bytes = random_bytes(random, random() % 600);
    if (bytes.size() > 5) bytes.replace(0, 5, std::string("\x16\x03\x01\x00\xf0", 5));
    Stream front = context->accept(Protocol::Imap);
    std::string answer;
    CHECK(front.handshake(bytes, answer) != Status::Done);
  }
  for (int i = 0; i < 300; ++i) {
    Stream back = clients->connect("mail.example.org", "changed");
    std::string hello;
    back.handshake({}, hello);
    hello[random() % hello.size()] = static_cast<char>(random());
    Stream front = context->accept(Protocol::Imap);
    std::string answer;
    CHECK(front.handshake(hello, answer) != Status::Done);
  }
}

TEST_CASE("the peer's alert is reported as such") {
  auto distrustful = ClientContext::create({.ca_file = Authority().root_file()});
  REQUIRE(distrustful.has_value());
  Stream back = (*distrustful)->connect("mail.example.org", "");
  Stream front = server()->accept(Protocol::Imap);
  const Meeting meeting = meet(back, front);
  CHECK(meeting.client == Status::Failed);
  CHECK(back.failure() == Failure::CertificateUntrusted);
  CHECK(meeting.server == Status::Failed);
  CHECK(front.failure() == Failure::AlertReceived);
  CHECK(front.failure_text() == "tlsv1 alert unknown ca");
}

TEST_CASE("a failure of one stream is not seen by the next of the thread") {
  const auto context = server();
  Stream broken = context->accept(Protocol::Imap);
  std::string answer;
  CHECK(broken.handshake(std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10), answer) ==
        Status::Failed);
  CHECK(ERR_peek_error() == 0);
  Stream back = client()->connect("mail.example.org", "");
  Stream front = context->accept(Protocol::Imap);
  CHECK(meet(back, front).done());
}

TEST_CASE("plaintext in the last flight of the handshake is kept for decrypt") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const auto raw = raw_client_context(version);
    RawEnd end(raw.get());
    Stream front = server()->accept(Protocol::Imap);
    std::string to_server;
    std::string to_client;
    Status ours = Status::NeedInput;
    Status theirs = end.handshake({}, to_server);
    while (theirs == Status::NeedInput) {
      ours = front.handshake(to_server, to_client);
      to_server.clear();
      theirs = end.handshake(to_client, to_server);
      to_client.clear();
    }
    end.encrypt("a CAPABILITY\r\n", to_server);
    end.encrypt("b NOOP\r\n", to_server);
    const std::string rest = to_server.substr(to_server.size() - 10);
    to_server.resize(to_server.size() - 10);
    if (version == TLS1_3_VERSION) CHECK(ours == Status::NeedInput);
    CHECK(front.handshake(to_server, to_client) == Status::Done);
    CHECK(decrypt_all(front, {}, to_client) == "a CAPABILITY\r\n");
    CHECK(decrypt_all(front, rest, to_client) == "b NOOP\r\n");
  }
}

TEST_CASE("tickets allow no early data") {
  const auto raw = raw_client_context();
  SSL_CTX_set_early_data_enabled(raw.get(), 1);
  RawEnd end(raw.get());
  Stream front = server()->accept(Protocol::Imap);
  REQUIRE(meet(end, front).done());
  std::string to_client;
  std::string to_server;
  front.encrypt("* OK\r\n", to_client);
  CHECK(end.decrypt(to_client, to_server) == "* OK\r\n");
  REQUIRE(end.session != nullptr);
  CHECK(SSL_SESSION_early_data_capable(end.session.get()) == 0);
}

TEST_CASE("every failure has a name of its own for metrics") {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Failure::Protocol); ++i)
    names.push_back(name_of(static_cast<Failure>(i)));
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
}

}  // namespace
}  // namespace postern::tls
