#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

using std::chrono::hours;

std::shared_ptr<ServerContext> server(const std::string& client_ca, Clock clock = {}) {
  static const CertificateFiles files = authority().issue({});
  auto made =
      ServerContext::create({.certificates = {files}, .clock = std::move(clock), .client_ca = client_ca});
  REQUIRE(made.has_value());
  return *made;
}

std::string ca() { return authority().root_file(); }

// A client with a certificate, or without one when `files` is empty.
bssl::UniquePtr<SSL_CTX> client(int version, const CertificateFiles& files) {
  auto context = raw_client_context(version);
  if (files.chain.empty()) return context;
  REQUIRE(SSL_CTX_use_certificate_chain_file(context.get(), files.chain.c_str()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1);
  return context;
}

// One connection, up to the client's first reading of what the server says.
struct Visit {
  Status front = Status::NeedInput;
  Failure failure = Failure::None;
  std::string text;
  bool resumed = false;
  std::optional<PeerCertificate> certificate;
  bssl::UniquePtr<SSL_SESSION> session;
  int alert = -1;  // that the client received
};
Visit visit(ServerContext& context, SSL_CTX* raw, SSL_SESSION* offer = nullptr,
            std::size_t piece = std::string::npos) {
  static int alert;
  alert = -1;
  RawEnd end(raw);
  SSL_set_info_callback(end.ssl(), [](const SSL*, int type, int value) {
    if (type == SSL_CB_READ_ALERT) alert = value & 0xff;
  });
  if (offer != nullptr) REQUIRE(SSL_set_session(end.ssl(), offer) == 1);
  Stream front = context.accept(Protocol::Imap);
  const Meeting meeting = meet(end, front, piece);
  std::string to_client = meeting.to_client;
  std::string to_server;
  if (meeting.server == Status::Done) {
    REQUIRE(front.encrypt("* OK\r\n", to_client) == Status::Done);
    CHECK(end.decrypt(to_client, to_server) == "* OK\r\n");
  } else {
    end.decrypt(to_client, to_server);
  }
  Visit seen;
  seen.front = meeting.server;
  seen.failure = front.failure();
  seen.text = front.failure_text();
  if (seen.front == Status::Done) seen.resumed = front.agreement().resumed;
  seen.certificate = front.peer_certificate();
  seen.session = std::move(end.session);
  seen.alert = alert;
  return seen;
}

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

TEST_CASE("a client that is asked for a certificate and has none is served") {
  for (const int version : kVersions) {
    CAPTURE(version);
    const Visit seen = visit(*server(ca()), client(version, {}).get());
    CHECK(seen.front == Status::Done);
    CHECK_FALSE(seen.certificate);
  }
}

TEST_CASE("a client's certificate is verified and told") {
  const Leaf leaf{.names = {"email:bob@example.org"}, .common_name = "bob"};
  for (const int version : kVersions) {
    for (const Key key : {Key::EcdsaP256, Key::Rsa2048}) {
      CAPTURE(version);
      Leaf mine = leaf;
      mine.key = key;
      const CertificateFiles files = authority().issue(mine);
      const Visit seen = visit(*server(ca()), client(version, files).get());
      CHECK(seen.front == Status::Done);
      REQUIRE(seen.certificate);
      CHECK(seen.certificate->pem == content_of(files.chain));
      CHECK(seen.certificate->emails == std::vector<std::string>{"bob@example.org"});
      CHECK(seen.certificate->common_name == "bob");
    }
  }
}

TEST_CASE("a client's chain may have an intermediate, and come in pieces of any size") {
  const CertificateFiles files = authority().issue_indirectly({.names = {}, .common_name = "bob"});
  for (const int version : kVersions) {
    for (const std::size_t piece : {1U, 7U, 100U, 5000U}) {
      const Visit seen = visit(*server(ca()), client(version, files).get(), nullptr, piece);
      REQUIRE(seen.certificate);
      CHECK(seen.certificate->common_name == "bob");
    }
  }
}

TEST_CASE("without client_ca no certificate is asked for, and none is told") {
  static bool asked;
  for (const int version : kVersions) {
    const auto raw = client(version, authority().issue({.names = {}, .common_name = "bob"}));
    SSL_CTX_set_cert_cb(
        raw.get(),
        [](SSL*, void*) {
          asked = true;
          return 1;
        },
        nullptr);
    asked = false;
    const Visit plain = visit(*server(""), raw.get());
    CHECK(plain.front == Status::Done);
    CHECK_FALSE(plain.certificate);
    CHECK_FALSE(asked);
    CHECK(visit(*server(ca()), raw.get()).certificate);
    CHECK(asked);
  }
}

TEST_CASE("the question names the authorities") {
  static std::size_t names;
  Authority other;
  const auto both = authority().folder().write("both.pem", authority().root_pem() + other.root_pem());
  for (const int version : kVersions) {
    const auto raw = client(version, {});
    SSL_CTX_set_cert_cb(
        raw.get(),
        [](SSL* ssl, void*) {
          names = sk_CRYPTO_BUFFER_num(SSL_get0_server_requested_CAs(ssl));
          return 1;
        },
        nullptr);
    names = 0;
    CHECK(visit(*server(both), raw.get()).front == Status::Done);
    CHECK(names == 2);
  }
}

TEST_CASE("a certificate that does not verify ends the handshake with its alert") {
  Authority stranger;
  const struct {
    const char* what;
    CertificateFiles files;
    Failure failure;
    int alert;
    const char* text;
  } kRows[] = {
      {"expired", authority().issue({.not_after = hours(-1) + std::chrono::seconds(1)}),
       Failure::CertificateExpired, SSL_AD_CERTIFICATE_EXPIRED,
       "the client's certificate: certificate has expired"},
      {"not yet valid", authority().issue({.not_before = hours(1)}), Failure::CertificateExpired,
       SSL_AD_CERTIFICATE_EXPIRED, "the client's certificate: certificate is not yet valid"},
      {"of another authority", stranger.issue({}), Failure::CertificateUntrusted, SSL_AD_UNKNOWN_CA,
       "the client's certificate: unable to get local issuer certificate"},
      {"of itself", authority().issue({.common_name = "bob", .own_issuer = true}),
       Failure::CertificateUntrusted, SSL_AD_UNKNOWN_CA, "the client's certificate: self signed certificate"},
      {"for servers alone", authority().issue({.extended_key_usage = "serverAuth"}),
       Failure::CertificateUntrusted, SSL_AD_UNSUPPORTED_CERTIFICATE,
       "the client's certificate: unsupported certificate purpose"},
  };
  for (const int version : kVersions) {
    for (const auto& row : kRows) {
      CAPTURE(version);
      CAPTURE(std::string(row.what));
      const Visit seen = visit(*server(ca()), client(version, row.files).get());
      CHECK(seen.front == Status::Failed);
      CHECK(seen.failure == row.failure);
      CHECK(seen.alert == row.alert);
      CHECK(seen.text == row.text);
      CHECK_FALSE(seen.certificate);
    }
  }
}

TEST_CASE("a certificate for clients, or for both, is one for clients") {
  for (const char* usage : {"clientAuth", "serverAuth,clientAuth"}) {
    const CertificateFiles files = authority().issue({.extended_key_usage = usage});
    CHECK(visit(*server(ca()), client(TLS1_3_VERSION, files).get()).certificate);
  }
}

TEST_CASE("a chain that is too long to be honest is refused") {
  const CertificateFiles one = authority().issue({});
  std::string chain = content_of(one.chain);
  for (int i = 0; i < 200; ++i) chain += authority().root_pem();
  const CertificateFiles many{.chain = authority().folder().write("many.pem", chain), .key = one.key};
  for (const int version : kVersions) {
    const Visit seen = visit(*server(ca()), client(version, many).get());
    CHECK(seen.front == Status::Failed);
    CHECK(seen.failure == Failure::Protocol);
  }
}

TEST_CASE("a session that resumes keeps its certificate, and one without keeps none") {
  const CertificateFiles files = authority().issue({.names = {}, .common_name = "bob"});
  for (const int version : kVersions) {
    CAPTURE(version);
    const auto raw = client(version, files);
    const Visit first = visit(*server(ca()), raw.get());
    REQUIRE(first.session != nullptr);
    const Visit second = visit(*server(ca()), raw.get(), first.session.get());
    CHECK(second.resumed);
    REQUIRE(second.certificate);
    CHECK(second.certificate->pem == content_of(files.chain));
    const Visit third =
        visit(*server(ca()), raw.get(), second.session ? second.session.get() : first.session.get());
    CHECK(third.resumed);
    CHECK(third.certificate);

    const auto bare = client(version, {});
    const Visit without = visit(*server(ca()), bare.get());
    const Visit again = visit(*server(ca()), raw.get(), without.session.get());
    CHECK(again.resumed);
    CHECK_FALSE(again.certificate);
  }
}

// CVE-2025-23419
TEST_CASE("a session does not resume where other certificates are believed") {
  Authority other;
  const CertificateFiles files = authority().issue({.names = {}, .common_name = "bob"});
  for (const int version : kVersions) {
    CAPTURE(version);
    const auto raw = client(version, files);
    const Visit ours = visit(*server(ca()), raw.get());
    REQUIRE(ours.certificate);
    const Visit nobody = visit(*server(""), raw.get(), ours.session.get());
    CHECK_FALSE(nobody.resumed);
    CHECK_FALSE(nobody.certificate);
    const Visit theirs = visit(*server(other.root_file()), raw.get(), ours.session.get());
    CHECK_FALSE(theirs.resumed);
    CHECK(theirs.failure == Failure::CertificateUntrusted);

    const Visit unasked = visit(*server(""), raw.get());
    const Visit asked = visit(*server(ca()), raw.get(), unasked.session.get());
    CHECK_FALSE(asked.resumed);
    CHECK(asked.certificate);
  }
}

TEST_CASE("a certificate that has expired does not come back out of a ticket") {
  const CertificateFiles files = authority().issue({.not_after = hours(2)});
  auto now = std::chrono::system_clock::now();
  const Clock clock = [&now] { return now; };
  for (const int version : kVersions) {
    CAPTURE(version);
    now = std::chrono::system_clock::now();
    const auto raw = client(version, files);
    const auto context = server(ca(), clock);
    const Visit first = visit(*context, raw.get());
    REQUIRE(first.certificate);
    CHECK(visit(*context, raw.get(), first.session.get()).resumed);
    now += hours(3);
    const Visit late = visit(*context, raw.get(), first.session.get());
    CHECK(late.front == Status::Failed);
    CHECK(late.failure == Failure::CertificateExpired);
    CHECK(late.alert == SSL_AD_CERTIFICATE_EXPIRED);
    CHECK_FALSE(late.certificate);
  }
}

TEST_CASE("the back's stream has no client") {
  const auto clients = ClientContext::create({.ca_file = ca()});
  REQUIRE(clients.has_value());
  Stream back = (*clients)->connect("mail.example.org", "");
  Stream front = server(ca())->accept(Protocol::Imap);
  REQUIRE(meet(back, front).done());
  CHECK_FALSE(back.peer_certificate());
  CHECK_FALSE(front.peer_certificate());
}

TEST_CASE("a file of authorities that cannot be read is refused with its name") {
  const auto with = [](const std::string& file) {
    const auto made = ServerContext::create({.certificates = {authority().issue({})}, .client_ca = file});
    return made ? std::string() : made.error();
  };
  CHECK(with("/nowhere/ca.pem") == "/nowhere/ca.pem: No such file or directory");
  const std::string text = authority().folder().write("text.pem", "hello\n");
  CHECK(with(text) == text + ": holds no certificate in PEM");
  const std::string broken = authority().folder().write(
      "broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  CHECK(with(broken) == broken + ": block 1 is not a certificate");
}

}  // namespace
}  // namespace postern::tls
