#include "proxy/tls/describe.h"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/unit/tls/authority.h"

namespace postern::tls {
namespace {

bssl::UniquePtr<X509> read(const std::string& pem) {
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  REQUIRE(certificate != nullptr);
  return certificate;
}

PeerCertificate issued(const Leaf& leaf) {
  return describe(read(content_of(authority().issue(leaf).chain)).get());
}

TEST_CASE("a certificate is told as nginx tells it") {
  // Made with OpenSSL, which says the same of it.
  const std::string pem =
      "-----BEGIN CERTIFICATE-----\n"
      "MIICFDCCAbmgAwIBAgIMCrze8BI0VniavN7wMAoGCCqGSM49BAMCMEQxCzAJBgNV\n"
      "BAYTAkFUMRkwFwYDVQQKDBBFeGFtcGxlICsgU8O2aG5lMRowGAYDVQQDDBFCw7Ni\n"
      "LCB0aGUgYnVpbGRlcjAgFw0yNjExMjMwMDU3MDJaGA8yMTI2MTAzMDAwNTcwMlow\n"
      "RDELMAkGA1UEBhMCQVQxGTAXBgNVBAoMEEV4YW1wbGUgKyBTw7ZobmUxGjAYBgNV\n"
      "BAMMEULDs2IsIHRoZSBidWlsZGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
      "b6U8JTLUl+P6tftczYpquRktR1weYidYNpZgldAsnTlf/08qHygRx+Xcmw563a80\n"
      "OmpBnt3FgEQFyJT5gj37R6OBjjCBizAdBgNVHQ4EFgQUDUq8iyPzIDwVtYs8rzRn\n"
      "BIUrgvYwHwYDVR0jBBgwFoAUDUq8iyPzIDwVtYs8rzRnBIUrgvYwDwYDVR0TAQH/\n"
      "BAUwAwEB/zA4BgNVHREEMTAvgQ9ib2JAZXhhbXBsZS5vcmeCCWEuZXhhbXBsZYER\n"
      "Yi5vYmJAZXhhbXBsZS5uZXQwCgYIKoZIzj0EAwIDSQAwRgIhANSHzbgNtXEOL/nO\n"
      "oSlq1Zhh7Wua02vZc1NvC1z6XD13AiEAwUQ5ZlWO2eh/7demG7gUAl4SbJRqYKsA\n"
      "2BOyoj64KOI=\n"
      "-----END CERTIFICATE-----\n";
  const PeerCertificate told = describe(read(pem).get());
  CHECK(told.subject == "CN=B\\C3\\B3b\\, the builder,O=Example \\+ S\\C3\\B6hne,C=AT");
  CHECK(told.issuer == "CN=B\\C3\\B3b\\, the builder,O=Example \\+ S\\C3\\B6hne,C=AT");
  CHECK(told.serial == "0ABCDEF0123456789ABCDEF0");
  CHECK(told.fingerprint == "deb17c0a4c26f3c2a06f352924de128574e49ff5");
  CHECK(told.emails == std::vector<std::string>{"bob@example.org", "b.obb@example.net"});
  CHECK(told.common_name == "Bób, the builder");
  CHECK(told.pem == pem);
}

TEST_CASE("no name is no name") {
  const PeerCertificate told = issued({.names = {}});
  CHECK(told.subject.empty());
  CHECK(told.common_name.empty());
  CHECK(told.emails.empty());
  CHECK_FALSE(told.issuer.empty());
}

TEST_CASE("other names are no addresses") {
  const PeerCertificate told =
      issued({.names = {"a.example", "IP:192.0.2.1", "URI:mailto:bob@example.org"}, .common_name = "a@b"});
  CHECK(told.emails.empty());
  CHECK(told.common_name == "a@b");
}

TEST_CASE("the last common name counts") {
  CHECK(issued({.names = {}, .common_name = "first", .more_common_names = {"second", "third"}}).common_name ==
        "third");
}

TEST_CASE("a common name with a control character is none, and no other takes its place") {
  for (const std::string& name : {std::string("bob\0evil", 8), std::string("\0bob", 4),
                                  std::string("bob\r\nx"), std::string("bob\x7f")}) {
    const PeerCertificate told = issued({.names = {}, .common_name = "alice", .more_common_names = {name}});
    CHECK(told.common_name.empty());
    for (const std::string_view text : {told.subject, told.issuer})
      CHECK(text.find_first_of(std::string_view("\0\r\n\x7f", 4)) == std::string_view::npos);
  }
}

TEST_CASE("an address with a control character or beyond ASCII is none, and the others stay") {
  for (const std::string& bad : {std::string("bob@example.org\0.evil.example", 29), std::string("a\r\nb@c"),
                                 std::string("b\xc3\xb3@example.org"), std::string()}) {
    auto certificate = read(content_of(authority().issue({.names = {}}).chain));
    const bssl::UniquePtr<GENERAL_NAMES> names(GENERAL_NAMES_new());
    for (const std::string& email :
         {std::string("first@example.org"), bad, std::string("last@example.org")}) {
      GENERAL_NAME* name = GENERAL_NAME_new();
      ASN1_IA5STRING* text = ASN1_IA5STRING_new();
      REQUIRE(ASN1_STRING_set(text, email.data(), static_cast<int>(email.size())) == 1);
      GENERAL_NAME_set0_value(name, GEN_EMAIL, text);
      REQUIRE(sk_GENERAL_NAME_push(names.get(), name) > 0);
    }
    REQUIRE(X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) ==
            1);
    CHECK(describe(certificate.get()).emails ==
          std::vector<std::string>{"first@example.org", "last@example.org"});
  }
}

}  // namespace
}  // namespace postern::tls
