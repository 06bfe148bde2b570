#include <doctest/doctest.h>

#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

// The certificate that a client gets that asks for `name`.
std::string offered(ServerContext& context, SSL_CTX* raw, const std::string& name) {
  RawEnd end(raw);
  if (!name.empty()) SSL_set_tlsext_host_name(end.ssl(), name.c_str());
  Stream front = context.accept(Protocol::Imap);
  REQUIRE(meet(end, front).done());
  return peer_certificate(end.ssl());
}

TEST_CASE("the certificate follows the name: exact, wildcard of the leftmost label, default") {
  const CertificateFiles standard = authority().issue({.names = {"standard.example.org"}});
  const CertificateFiles exact = authority().issue({.names = {"a.example.org", "b.example.org"}});
  const CertificateFiles wildcard = authority().issue({.names = {"*.example.org"}, .key = Key::EcdsaP384});
  const CertificateFiles only_common = authority().issue({.names = {}, .common_name = "Old.Example.NET"});
  const CertificateFiles second = authority().issue({.names = {"a.example.org", "w*.example.com"}});
  const auto context =
      ServerContext::create({.certificates = {standard, exact, wildcard, only_common, second}});
  REQUIRE(context.has_value());

  struct Row {
    std::string name;
    const CertificateFiles& expected;
  };
  const auto raw = raw_client_context();
  for (const Row& row :
       {Row{"a.example.org", exact}, Row{"B.EXAMPLE.org", exact}, Row{"c.example.org", wildcard},
        Row{"c.d.example.org", standard}, Row{"example.org", standard}, Row{"", standard},
        Row{"old.example.net", only_common}, Row{"unknown.test", standard}, Row{"www.example.com", standard},
        Row{std::string(255, 'x'), standard}, Row{"standard.example.org", standard},
        Row{"b\xc3\xbc"
            "cher.test",
            standard},
        Row{".example.org", standard}, Row{"localhost", standard}}) {
    CAPTURE(row.name);
    CHECK(offered(**context, raw.get(), row.name) == content_of(row.expected.chain));
  }
  CHECK((*context)->certificates().size() == 5);
  CHECK((*context)->certificates()[3].subject == "old.example.net");
}

TEST_CASE("an SNI that no host name has is not handed on") {
  const auto context = ServerContext::create({.certificates = {authority().issue({})}});
  REQUIRE(context.has_value());
  const auto raw = raw_client_context();
  for (const auto& [sent, seen] :
       {std::pair{"Mail.Example.ORG", "mail.example.org"}, std::pair{"a b\r\nc", ""}, std::pair{"\"; id", ""},
        std::pair{"b\xc3\xbc"
                  "cher",
                  ""}}) {
    RawEnd end(raw.get());
    SSL_set_tlsext_host_name(end.ssl(), sent);
    Stream front = (*context)->accept(Protocol::Imap);
    REQUIRE(meet(end, front).done());
    CHECK(front.server_name() == seen);
  }
}

TEST_CASE("of ECDSA and RSA for one name the client gets ECDSA if it can, and RSA otherwise") {
  struct Row {
    const char* what;
    int version;
    Key ecdsa;
    bool expect_ecdsa;
    void (*limit)(SSL_CTX*);
  };
  const auto nothing = [](SSL_CTX*) {};
  const auto rsa_signatures = [](SSL_CTX* context) {
    const std::uint16_t only[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256};
    SSL_CTX_set_verify_algorithm_prefs(context, only, 2);
  };
  const auto p256_signatures = [](SSL_CTX* context) {
    const std::uint16_t only[] = {SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA256};
    SSL_CTX_set_verify_algorithm_prefs(context, only, 2);
  };
  const auto rsa_suites = [](SSL_CTX* context) {
    SSL_CTX_set_strict_cipher_list(context, "ECDHE-RSA-AES128-GCM-SHA256");
  };
  const auto cbc_for_ecdsa = [](SSL_CTX* context) {
    SSL_CTX_set_strict_cipher_list(context, "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256");
  };
  const auto x25519 = [](SSL_CTX* context) { SSL_CTX_set1_curves_list(context, "X25519"); };
  const Row rows[] = {
      {"1.3, all", TLS1_3_VERSION, Key::EcdsaP256, true, nothing},
      {"1.3, RSA signatures", TLS1_3_VERSION, Key::EcdsaP256, false, rsa_signatures},
      {"1.3, P-384 for P-256 signatures", TLS1_3_VERSION, Key::EcdsaP384, false, p256_signatures},
      {"1.3, P-384", TLS1_3_VERSION, Key::EcdsaP384, true, nothing},
      {"1.3, the curve is free for signatures", TLS1_3_VERSION, Key::EcdsaP256, true, x25519},
      {"1.2, all", TLS1_2_VERSION, Key::EcdsaP256, true, nothing},
      {"1.2, P-384", TLS1_2_VERSION, Key::EcdsaP384, true, nothing},
      {"1.2, RSA signatures", TLS1_2_VERSION, Key::EcdsaP256, false, rsa_signatures},
      {"1.2, RSA suites", TLS1_2_VERSION, Key::EcdsaP256, false, rsa_suites},
      {"1.2, ECDSA suites that we refuse", TLS1_2_VERSION, Key::EcdsaP256, false, cbc_for_ecdsa},
      {"1.2, without the curve", TLS1_2_VERSION, Key::EcdsaP256, false, x25519},
  };
  const CertificateFiles rsa = authority().issue({.key = Key::Rsa2048});
  for (const Row& row : rows) {
    for (const bool rsa_first : {false, true}) {
      CAPTURE(std::string(row.what));
      CAPTURE(rsa_first);
      const CertificateFiles ecdsa = authority().issue({.key = row.ecdsa});
      std::vector<CertificateFiles> files = {ecdsa, rsa};
      if (rsa_first) std::swap(files[0], files[1]);
      const auto context = ServerContext::create({.certificates = files});
      REQUIRE(context.has_value());
      const auto raw = raw_client_context(row.version);
      row.limit(raw.get());
      const std::string expected = content_of(row.expect_ecdsa ? ecdsa.chain : rsa.chain);
      CHECK(offered(**context, raw.get(), "mail.example.org") == expected);
      CHECK(offered(**context, raw.get(), "") == expected);  // the default has its pair, too
    }
  }
}

TEST_CASE("the whole chain is sent") {
  const auto context = ServerContext::create({.certificates = {authority().issue_indirectly({})}});
  REQUIRE(context.has_value());
  const auto clients = ClientContext::create({.ca_file = authority().root_file()});
  REQUIRE(clients.has_value());
  Stream back = (*clients)->connect("mail.example.org", "");
  Stream front = (*context)->accept(Protocol::Imap);
  CHECK(meet(back, front).done());
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string result;
  while (times-- > 0) result += text;
  return result;
}

TEST_CASE("ALPN: the listener's protocol, or none at all") {
  struct Row {
    std::string offer;  // as on the wire
    Protocol protocol;
    bool accepted;
  };
  const auto context = ServerContext::create({.certificates = {authority().issue({})}});
  REQUIRE(context.has_value());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Row& row :
         {Row{"", Protocol::Imap, true}, Row{"\2h2", Protocol::Imap, false},
          Row{"\4imap", Protocol::Imap, true}, Row{"\4imap", Protocol::Pop3, false},
          Row{"\4pop3", Protocol::Pop3, true}, Row{"\4pop3", Protocol::Imap, false},
          Row{"\4pop3\4imap", Protocol::Imap, true}, Row{"\4pop3\4imap", Protocol::Pop3, true},
          Row{"\2h2\4IMAP", Protocol::Imap, false}, Row{"\5imap4", Protocol::Imap, false},
          Row{"\3ima", Protocol::Imap, false}, Row{repeated("\2h2", 3000), Protocol::Imap, false},
          Row{repeated("\2h2", 3000) + "\4imap", Protocol::Imap, true}}) {
      CAPTURE(row.offer);
      CAPTURE(postern::name_of(row.protocol));
      const auto raw = raw_client_context(version);
      RawEnd end(raw.get());
      const auto* offer = reinterpret_cast<const std::uint8_t*>(row.offer.data());
      REQUIRE(SSL_set_alpn_protos(end.ssl(), offer, static_cast<unsigned>(row.offer.size())) == 0);
      Stream front = (*context)->accept(row.protocol);
      std::string hello;
      std::string answer;
      end.handshake({}, hello);
      const Status status = front.handshake(hello, answer);
      if (row.accepted) {
        CHECK(status == Status::NeedInput);
        end.handshake(answer, hello);
        const std::uint8_t* selected = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(end.ssl(), &selected, &size);
        const std::string_view agreed(reinterpret_cast<const char*>(selected), size);
        CHECK(agreed == (row.offer.empty() ? "" : postern::name_of(row.protocol)));
      } else {
        CHECK(status == Status::Failed);
        CHECK(front.failure() == Failure::NoSharedProtocol);
        REQUIRE(answer.size() == 7);
        CHECK(answer[6] == 120);  // no_application_protocol
      }
    }
  }
}

}  // namespace
}  // namespace postern::tls
