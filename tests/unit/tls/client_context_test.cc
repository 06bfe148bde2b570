#include <doctest/doctest.h>
#include <openssl/err.h>

#include "proxy/tls/session_cache.h"
#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

std::shared_ptr<ServerContext> server_with(const CertificateFiles& files) {
  auto made = ServerContext::create({.certificates = {files}});
  REQUIRE(made.has_value());
  return *made;
}

std::shared_ptr<ClientContext> client_of(const ClientSettings& settings) {
  auto made = ClientContext::create(settings);
  REQUIRE(made.has_value());
  return *made;
}

TEST_CASE("a store's certificate must be whole, in time, of a known root, and for the name") {
  using std::chrono::hours;
  struct Row {
    const char* what;
    Leaf leaf;
    std::string name;
    Failure failure;
  };
  const Row rows[] = {
      {"good", {}, "mail.example.org", Failure::None},
      {"case", {}, "MAIL.example.ORG", Failure::None},
      {"final dot", {}, "mail.example.org.", Failure::None},
      {"RSA", {.key = Key::Rsa2048}, "mail.example.org", Failure::None},
      {"expired",
       {.not_before = hours(-48), .not_after = hours(-1)},
       "mail.example.org",
       Failure::CertificateExpired},
      {"not yet",
       {.not_before = hours(24), .not_after = hours(48)},
       "mail.example.org",
       Failure::CertificateExpired},
      {"wrong name", {}, "imap.example.org", Failure::CertificateName},
      {"longer name", {}, "mail.example.org.evil.test", Failure::CertificateName},
      {"self-signed", {.own_issuer = true}, "mail.example.org", Failure::CertificateUntrusted},
      {"wildcard", {.names = {"*.example.org"}}, "mail.example.org", Failure::None},
      {"wildcard, two labels", {.names = {"*.example.org"}}, "a.mail.example.org", Failure::CertificateName},
      {"wildcard, no label", {.names = {"*.example.org"}}, "example.org", Failure::CertificateName},
      {"wildcard in part", {.names = {"m*.example.org"}}, "mail.example.org", Failure::CertificateName},
      {"wildcard inside", {.names = {"mail.*.org"}}, "mail.example.org", Failure::CertificateName},
      {"common name alone",
       {.names = {}, .common_name = "mail.example.org"},
       "mail.example.org",
       Failure::CertificateName},
      {"IPv4", {.names = {"IP:192.0.2.7"}}, "192.0.2.7", Failure::None},
      {"IPv6", {.names = {"IP:2001:db8::7"}}, "2001:db8:0::7", Failure::None},
      {"other address", {.names = {"IP:192.0.2.7"}}, "192.0.2.8", Failure::CertificateName},
      {"address as a DNS name", {.names = {"192.0.2.7"}}, "192.0.2.7", Failure::CertificateName},
      {"address as the common name",
       {.names = {}, .common_name = "192.0.2.7"},
       "192.0.2.7",
       Failure::CertificateName},
      {"empty name", {}, "", Failure::CertificateName},
      {"NUL in the name", {}, std::string("mail.example.org\0.evil.test", 27), Failure::CertificateName},
  };
  const auto client = client_of({.ca_file = authority().root_file()});
  const auto careless = client_of({.verify = false});
  for (const Row& row : rows) {
    CAPTURE(std::string(row.what));
    const auto server = server_with(authority().issue(row.leaf));
    Stream back = client->connect(row.name, "");
    CHECK(ERR_peek_error() == 0);
    Stream front = server->accept(Protocol::Imap);
    const Meeting meeting = meet(back, front);
    CHECK(name_of(back.failure()) == name_of(row.failure));
    CHECK((meeting.client == Status::Done) == (row.failure == Failure::None));
    CHECK((meeting.server == Status::Done) == (row.failure == Failure::None));
    CHECK(back.failure_text().empty() == (row.failure == Failure::None));
    if (row.failure != Failure::None) CHECK(front.failure() == Failure::AlertReceived);

    Stream anyway = careless->connect(row.name, "");
    Stream second = server->accept(Protocol::Imap);
    CHECK(meet(anyway, second).done());
  }
}

TEST_CASE("the reason of a refused certificate can be read") {
  const auto client = client_of({.ca_file = authority().root_file()});
  const auto server = server_with(
      authority().issue({.not_before = std::chrono::hours(-9), .not_after = std::chrono::hours(-1)}));
  Stream back = client->connect("mail.example.org", "");
  Stream front = server->accept(Protocol::Imap);
  meet(back, front);
  CHECK(back.failure_text() == "certificate for mail.example.org: certificate has expired");
}

TEST_CASE("the name goes out as SNI, an address does not") {
  const auto client = client_of({.verify = false});
  const auto server = server_with(authority().issue({}));
  for (const auto& [name, sent] :
       {std::pair{"Mail.example.org", "mail.example.org"}, std::pair{"mail.example.org.", "mail.example.org"},
        std::pair{"192.0.2.7", ""}, std::pair{"::1", ""}}) {
    Stream back = client->connect(name, "");
    Stream front = server->accept(Protocol::Imap);
    REQUIRE(meet(back, front).done());
    CHECK(front.server_name() == sent);
  }
}

TEST_CASE("clear text from the store is told from broken TLS") {
  const auto client = client_of({.verify = false});
  Stream back = client->connect("mail.example.org", "");
  std::string output;
  CHECK(back.handshake({}, output) == Status::NeedInput);
  CHECK(back.handshake("* OK ready\r\n", output) == Status::Failed);
  CHECK(back.failure() == Failure::NotTls);
}

TEST_CASE("roots: the system's are found, and a file that is none is refused with its name") {
  CHECK(ClientContext::create({}).has_value());
  const auto missing = ClientContext::create({.ca_file = "/nowhere/ca.pem"});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error() == "/nowhere/ca.pem: No such file or directory");
  const auto path =
      authority().folder().write("bad.pem", authority().root_pem() +
                                                "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END "
                                                "CERTIFICATE-----\n");
  const auto bad = ClientContext::create({.ca_file = path});
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error() == path + ": block 2 is not a certificate");
  const auto twice = authority().folder().write("twice.pem", authority().root_pem() + authority().root_pem());
  CHECK(ClientContext::create({.ca_file = twice}).has_value());
}

TEST_CASE("the system's roots do not vouch for ours") {
  const auto client = client_of({});
  const auto server = server_with(authority().issue({}));
  Stream back = client->connect("mail.example.org", "");
  Stream front = server->accept(Protocol::Imap);
  meet(back, front);
  CHECK(back.failure() == Failure::CertificateUntrusted);
}

// A handshake and one line from the server, which carries the ticket along. Whether it resumed.
bool visit(ClientContext& client, ServerContext& server, const std::string& name, const std::string& key) {
  Stream back = client.connect(name, key);
  Stream front = server.accept(Protocol::Imap);
  REQUIRE(meet(back, front).done());
  std::string to_client;
  std::string to_server;
  REQUIRE(front.encrypt("* OK\r\n", to_client) == Status::Done);
  CHECK(decrypt_all(back, to_client, to_server) == "* OK\r\n");
  CHECK(back.agreement().resumed == front.agreement().resumed);
  return back.agreement().resumed;
}

TEST_CASE("sessions are resumed with the same server alone") {
  const CertificateFiles files = authority().issue({.names = {"a.example.org", "b.example.org"}});
  const auto client = client_of({.ca_file = authority().root_file()});
  const auto server = server_with(files);
  CHECK_FALSE(visit(*client, *server, "a.example.org", "192.0.2.1:993"));
  CHECK(visit(*client, *server, "a.example.org", "192.0.2.1:993"));
  CHECK(visit(*client, *server, "a.example.org", "192.0.2.1:993"));
  CHECK_FALSE(visit(*client, *server, "a.example.org", "192.0.2.2:993"));
  CHECK_FALSE(visit(*client, *server, "b.example.org", "192.0.2.1:993"));
  CHECK_FALSE(
      visit(*client_of({.ca_file = authority().root_file()}), *server, "a.example.org", "192.0.2.1:993"));
}

TEST_CASE("a TLS 1.3 session is offered once") {
  const auto client = client_of({.ca_file = authority().root_file()});
  const auto server = server_with(authority().issue({}));
  CHECK_FALSE(visit(*client, *server, "mail.example.org", "k"));
  Stream first = client->connect("mail.example.org", "k");
  Stream second = client->connect("mail.example.org", "k");
  Stream front_1 = server->accept(Protocol::Imap);
  Stream front_2 = server->accept(Protocol::Imap);
  REQUIRE(meet(first, front_1).done());
  REQUIRE(meet(second, front_2).done());
  CHECK(first.agreement().resumed);
  CHECK_FALSE(second.agreement().resumed);
}

TEST_CASE("a TLS 1.2 session is offered as often as it is wanted") {
  const CertificateFiles files = authority().issue({});
  const bssl::UniquePtr<SSL_CTX> raw(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_max_proto_version(raw.get(), TLS1_2_VERSION);
  REQUIRE(SSL_CTX_use_certificate_chain_file(raw.get(), files.chain.c_str()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey_file(raw.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1);
  const auto client = client_of({.ca_file = authority().root_file()});
  for (const bool resumed : {false, true, true}) {
    Stream back = client->connect("mail.example.org", "k");
    Stream unused = client->connect("mail.example.org", "k");
    RawEnd front(raw.get(), RawEnd::Side::Server);
    REQUIRE(meet(back, front).done());
    CHECK(back.agreement().version == "TLSv1.2");
    CHECK(back.agreement().resumed == resumed);
  }
}

TEST_CASE("streams outlive their contexts") {
  auto client = client_of({.ca_file = authority().root_file()});
  auto server = server_with(authority().issue({}));
  Stream back = client->connect("mail.example.org", "k");
  Stream front = server->accept(Protocol::Imap);
  client.reset();
  server.reset();
  REQUIRE(meet(back, front).done());
  std::string to_client;
  std::string to_server;
  front.encrypt("* OK\r\n", to_client);
  CHECK(decrypt_all(back, to_client, to_server) == "* OK\r\n");
}

TEST_CASE("the cache of sessions is bounded, and keeps the most recently used") {
  SessionCache cache;
  const auto first = cache.slot("first");
  for (std::size_t i = 0; i < SessionCache::kSlots - 1; ++i) cache.slot(std::to_string(i));
  CHECK(cache.slot("first") == first);
  cache.slot("one more");  // "0" was used longest ago
  CHECK(cache.slot("first") == first);
  const auto last = cache.slot("5");
  for (std::size_t i = 0; i < SessionCache::kSlots; ++i) cache.slot("new " + std::to_string(i));
  CHECK(cache.slot("first") != first);
  CHECK(cache.slot("5") != last);
}

}  // namespace
}  // namespace postern::tls
