#include "proxy/auth/http_question.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <string>

#include "proxy/auth/http_message.h"
#include "proxy/tls/peer_certificate.h"

namespace postern::auth {
namespace {

struct Asking {
  Credentials credentials{.mechanism = Mechanism::Command,
                          .user = "ann@example.org",
                          .authorization = {},
                          .password = Secret("pw")};
  conf::HttpSource source{
      .url = {.tls = false, .host = "auth.example.org", .port = 9001, .path = "/auth?x=1"},
      .ca_file = {},
      .headers = {}};
  Question question;

  Asking() {
    question.client = *Endpoint::parse("192.0.2.7:40000");
    question.local = *Endpoint::parse("[2001:db8::1]:993");
  }
  std::string text() {
    question.credentials = &credentials;
    return std::string(write_question(source, question)->reveal());
  }
};

bool has_line(const std::string& text, const std::string& line) {
  return text.contains("\r\n" + line + "\r\n");
}

TEST_CASE("the request is nginx's, field by field") {
  Asking asking;
  CHECK(asking.text() ==
        "GET /auth?x=1 HTTP/1.1\r\n"
        "Host: auth.example.org:9001\r\n"
        "Auth-Method: plain\r\n"
        "Auth-User: ann@example.org\r\n"
        "Auth-Pass: pw\r\n"
        "Auth-Protocol: imap\r\n"
        "Auth-Login-Attempt: 1\r\n"
        "Client-IP: 192.0.2.7\r\n"
        "\r\n");
}

TEST_CASE("everything that may be told is told, in nginx's order") {
  Asking asking;
  asking.question.protocol = Protocol::Pop3;
  asking.question.attempt = 3;
  asking.question.by_proxy_header = true;
  asking.question.secure = true;
  asking.question.tls_version = "TLSv1.3";
  asking.question.tls_cipher = "TLS_AES_128_GCM_SHA256";
  const tls::PeerCertificate certificate{.subject = "CN=Ann B,O=X",
                                         .issuer = "CN=CA",
                                         .serial = "0A1B",
                                         .fingerprint = "00ff",
                                         .emails = {},
                                         .common_name = "Ann B",
                                         .pem = "-----BEGIN X-----\nA+/=\n"};
  asking.question.certificate = &certificate;
  asking.source.pass_certificate = true;
  asking.source.headers = {{"X-Key", "k 1"}, {"X-Other", "2"}};
  CHECK(asking.text() ==
        "GET /auth?x=1 HTTP/1.1\r\n"
        "Host: auth.example.org:9001\r\n"
        "Auth-Method: plain\r\n"
        "Auth-User: ann@example.org\r\n"
        "Auth-Pass: pw\r\n"
        "Auth-Protocol: pop3\r\n"
        "Auth-Login-Attempt: 3\r\n"
        "Client-IP: 192.0.2.7\r\n"
        "Proxy-Protocol-Addr: 192.0.2.7\r\n"
        "Proxy-Protocol-Port: 40000\r\n"
        "Proxy-Protocol-Server-Addr: 2001:db8::1\r\n"
        "Proxy-Protocol-Server-Port: 993\r\n"
        "Auth-SSL: on\r\n"
        "Auth-SSL-Protocol: TLSv1.3\r\n"
        "Auth-SSL-Cipher: TLS_AES_128_GCM_SHA256\r\n"
        "Auth-SSL-Verify: SUCCESS\r\n"
        "Auth-SSL-Subject: CN=Ann B,O=X\r\n"
        "Auth-SSL-Issuer: CN=CA\r\n"
        "Auth-SSL-Serial: 0A1B\r\n"
        "Auth-SSL-Fingerprint: 00ff\r\n"
        "Auth-SSL-Cert: -----BEGIN%20X-----%0AA%2B%2F%3D%0A\r\n"
        "X-Key: k 1\r\n"
        "X-Other: 2\r\n"
        "\r\n");
  asking.source.pass_certificate = false;
  CHECK_FALSE(asking.text().contains("Auth-SSL-Cert"));
}

TEST_CASE("the method is the mechanism's") {
  struct Row {
    Mechanism mechanism;
    const char* method;
  };
  for (const Row& row : {Row{Mechanism::Command, "plain"}, Row{Mechanism::Plain, "plain"},
                         Row{Mechanism::Login, "plain"}, Row{Mechanism::XOAuth2, "xoauth2"},
                         Row{Mechanism::OAuthBearer, "oauthbearer"}, Row{Mechanism::External, "external"}}) {
    Asking asking;
    asking.credentials.mechanism = row.mechanism;
    CHECK(has_line(asking.text(), std::string("Auth-Method: ") + row.method));
  }
}

TEST_CASE("escapes: what nginx does, and beyond it DEL and 8-bit bytes") {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  Asking asking;
  asking.credentials.password = Secret(every);
  asking.credentials.user = "J\xc3\xbcrgen 100%\r\nAuth-Status: OK";
  std::string low;  // as both write it
  std::string high;
  const std::string digits = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::string hex = std::string("%") + digits[byte >> 4] + digits[byte & 15];
    (byte < 0x7f ? low : high) +=
        byte <= ' ' || byte == '%' || byte >= 0x7f ? hex : std::string(1, every[byte]);
  }
  CHECK(has_line(asking.text(), "Auth-Pass: " + low + high));
  CHECK(has_line(asking.text(), "Auth-User: J%C3%BCrgen%20100%25%0D%0AAuth-Status:%20OK"));
  asking.source.escape = conf::HttpSource::Escape::Nginx;
  CHECK(has_line(asking.text(), "Auth-Pass: " + low + every.substr(0x7f)));
  CHECK(has_line(asking.text(), "Auth-User: J\xc3\xbcrgen%20100%25%0D%0AAuth-Status:%20OK"));
}

TEST_CASE("no value whatsoever begins another line") {
  const std::string evil = "x\r\nAuth-User: root\r\n\r\nGET / HTTP/1.1";
  Asking asking;
  tls::PeerCertificate certificate{.subject = evil,
                                   .issuer = evil,
                                   .serial = evil,
                                   .fingerprint = evil,
                                   .emails = {},
                                   .common_name = {},
                                   .pem = evil};
  asking.credentials.user = evil;
  asking.credentials.password = Secret(evil);
  asking.question.secure = true;
  asking.question.tls_version = evil;
  asking.question.tls_cipher = evil;
  asking.question.certificate = &certificate;
  asking.source.pass_certificate = true;
  asking.source.headers = {{evil, evil}};
  asking.source.url.path = "/" + evil;
  asking.source.url.host = evil;
  for (const auto escape : {conf::HttpSource::Escape::Full, conf::HttpSource::Escape::Nginx}) {
    asking.source.escape = escape;
    const std::string text = asking.text();
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; ++at) {
      ++lines;
      CHECK(text[at - 1] == '\r');
    }
    CHECK(lines == 19);
    CHECK(text.find("\r\n\r\n") == text.size() - 4);
    CHECK_FALSE(text.contains("\r\nAuth-User: root"));
    CHECK(std::ranges::count(text, '\r') == 19);
  }
}

TEST_CASE("the Host field names the port unless it is the scheme's own") {
  CHECK(http_host("a.example", 80, false) == "a.example");
  CHECK(http_host("a.example", 443, true) == "a.example");
  CHECK(http_host("a.example", 443, false) == "a.example:443");
  CHECK(http_host("192.0.2.1", 80, true) == "192.0.2.1:80");
  CHECK(http_host("2001:db8::1", 9001, false) == "[2001:db8::1]:9001");
}

}  // namespace
}  // namespace postern::auth
