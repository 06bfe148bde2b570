#include "proxy/auth/dovecot_question.h"

#include <algorithm>
#include <doctest/doctest.h>

#include "proxy/tls/peer_certificate.h"

namespace postern::auth {

namespace {

std::string written(const Question& question, std::uint32_t id = 7) {
  const auto line = write_auth(id, question);
  return line ? std::string(line->reveal()) : "too long";
}

Credentials given(Mechanism mechanism) {
  Credentials credentials;
  credentials.mechanism = mechanism;
  credentials.user = "bob";
  credentials.password = Secret("secret");
  return credentials;
}

}  // namespace

TEST_CASE("a question says all that is known of the client") {
  const Credentials credentials = given(Mechanism::Command);
  Question question;
  question.protocol = Protocol::Pop3;
  question.credentials = &credentials;
  question.session = "S1";
  question.client = *Endpoint::parse("192.0.2.1:1000");
  question.local = *Endpoint::parse("[2001:db8::1]:995");
  question.peer = *Endpoint::parse("10.0.0.1:2000");
  question.socket = *Endpoint::parse("10.0.0.2:1995");
  question.secure = true;
  question.server_name = "mail\texample";
  question.client_id = R"(("name" "x"))";
  CHECK(written(question) ==
        "AUTH\t7\tPLAIN\tservice=pop3\tprotocol=pop3\tsecured=tls\tsession=S1\tlip=2001:db8::1\tlport=995\t"
        "rip=192.0.2.1\trport=1000\treal_lip=10.0.0.2\treal_lport=1995\treal_rip=10.0.0.1\treal_rport=2000\t"
        "local_name=mail\001texample\tclient_id=\"name\" \"x\"\tresp=AGJvYgBzZWNyZXQ=\n");
}

TEST_CASE("each mechanism carries what its client gave") {
  tls::PeerCertificate certificate;
  certificate.fingerprint = "ab12";
  struct Row {
    Mechanism mechanism;
    std::string authorization, sasl_name, message;
    bool has_message, certified;
    std::string line;
  };
  const Row rows[] = {
      {Mechanism::Plain, "boss", "", "", false, false, "PLAIN|secured\tresp=Ym9zcwBib2IAc2VjcmV0"},
      {Mechanism::Login, "", "", "", false, false, "PLAIN|secured\tresp=AGJvYgBzZWNyZXQ="},
      {Mechanism::Plain, "", "", "", false, true,
       "PLAIN|secured\tvalid-client-cert\tssl_client_cert_fp=ab12\tresp=AGJvYgBzZWNyZXQ="},
      {Mechanism::XOAuth2, "", "", "user=bob\001", true, false, "XOAUTH2|secured\tresp=dXNlcj1ib2IB"},
      {Mechanism::OAuthBearer, "", "", "n,,\001", true, false, "OAUTHBEARER|secured\tresp=biwsAQ=="},
      {Mechanism::External, "", "", "", true, true,
       "EXTERNAL|secured\tvalid-client-cert\tssl_client_cert_fp=ab12\tcert_username=bob\tresp="},
      {Mechanism::External, "al", "", "", true, false, "EXTERNAL|secured\tresp=YWw="},
      {Mechanism::Relayed, "", "CRAM-MD5", "", false, false, "CRAM-MD5|secured"},
      {Mechanism::Relayed, "", "SCRAM-SHA-1", "", true, false, "SCRAM-SHA-1|secured\tresp="},
      {Mechanism::Relayed, "", "A\tB\nC", "n,,", true, false, "A\001tB\001nC|secured\tresp=biws"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    Credentials credentials = given(row.mechanism);
    credentials.authorization = row.authorization;
    credentials.sasl_name = row.sasl_name;
    credentials.message = Secret(row.message);
    credentials.has_message = row.has_message;
    Question question;
    question.credentials = &credentials;
    question.certificate = row.certified ? &certificate : nullptr;
    const std::size_t bar = row.line.find('|');
    CHECK(written(question) == "AUTH\t7\t" + row.line.substr(0, bar) + "\tservice=imap\tprotocol=imap\t" +
                                   row.line.substr(bar + 1) + "\n");
  }
}

TEST_CASE("no value can end its line or make another field") {
  std::string hostile;
  for (int octet = 0; octet < 256; ++octet) hostile += static_cast<char>(octet);
  hostile += "\nAUTH\t8\tPLAIN\tresp=x";
  Credentials credentials = given(Mechanism::Relayed);
  credentials.sasl_name = hostile;
  credentials.message = Secret(hostile);
  credentials.has_message = true;
  Question question;
  question.credentials = &credentials;
  const std::string plain = written(question);
  question.session = question.server_name = hostile;
  question.client_id = std::string_view(hostile).substr(0, 200);
  const std::string line = written(question);
  CHECK(std::ranges::count(line, '\n') == 1);
  CHECK(line.ends_with('\n'));
  CHECK(std::ranges::count(line, '\t') == std::ranges::count(plain, '\t') + 3);
}

TEST_CASE("a question that would make Dovecot close the connection is not written") {
  Credentials credentials = given(Mechanism::OAuthBearer);
  credentials.message = Secret(std::string(12000, 't'));
  Question question;
  question.credentials = &credentials;
  CHECK(written(question).size() <= kDovecotLongestQuestion);
  CHECK(written(question) != "too long");
  credentials.message = Secret(std::string(12300, 't'));
  CHECK(written(question) == "too long");
  CHECK(write_continue(1, std::string(12000, 't')));
  CHECK_FALSE(write_continue(1, std::string(12300, 't')));
}

TEST_CASE("a client's long ID is left out, not cut") {
  const Credentials credentials = given(Mechanism::Plain);
  Question question;
  question.credentials = &credentials;
  const std::string id = "(\"name\" \"" + std::string(300, 'x') + "\")";
  question.client_id = id;
  CHECK_FALSE(written(question).contains("client_id"));
}

TEST_CASE("answers and ends are one line each") {
  CHECK(write_continue(3, "n,,")->reveal() == "CONT\t3\tbiws\n");
  CHECK(write_continue(3, "")->reveal() == "CONT\t3\t\n");
  CHECK(write_cancel(3) == "CANCEL\t3\n");
}

}  // namespace postern::auth
