#include "parsers/offer.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace postern;

namespace {

std::string names_of(const FrontSetup& setup) {
  std::string names;
  for (const Offer& offer : offers_of(setup)) (names += offer.name) += ' ';
  return names;
}

FrontSetup setup_with(std::vector<Mechanism> mechanisms, std::vector<std::string> relayed) {
  FrontSetup setup;
  setup.mechanisms = std::move(mechanisms);
  setup.relayed = std::move(relayed);
  return setup;
}

}  // namespace

TEST_CASE("one's own mechanisms come first, each name once, relayed ones as they are named") {
  using enum Mechanism;
  const FrontSetup setup = setup_with({Command, XOAuth2, Plain, Relayed, Plain},
                                      {"plain", "CRAM-MD5", "Scram-Sha-256", "cram-md5"});
  CHECK(names_of(setup) == "XOAUTH2 PLAIN CRAM-MD5 Scram-Sha-256 ");
  CHECK(find_offer(setup, "plain")->mechanism == Plain);
  CHECK(find_offer(setup, "scram-sha-256")->mechanism == Relayed);
  CHECK(find_offer(setup, "scram-sha-256")->name == "Scram-Sha-256");
  CHECK_FALSE(find_offer(setup, "LOGIN"));
  CHECK_FALSE(find_offer(setup, ""));
  CHECK_FALSE(find_offer(setup, "RELAYED"));
}

TEST_CASE("a mechanism of one's own that is not offered may be relayed") {
  const FrontSetup setup = setup_with({Mechanism::Plain}, {"OAUTHBEARER"});
  CHECK(find_offer(setup, "oauthbearer")->mechanism == Mechanism::Relayed);
}

TEST_CASE("what is no mechanism's name is not offered, nor what binds to TLS") {
  for (const char* name : {"", "A B", "A\r\nB", "A=", "\xc3\x84", "GSSAPI*", "ABCDEFGHIJKLMNOPQRSTU",
                           "SCRAM-SHA-256-PLUS", "scram-sha-1-plus", "-PLUS"}) {
    CAPTURE(name);
    const FrontSetup setup = setup_with({}, {name, "GSSAPI"});
    CHECK(names_of(setup) == "GSSAPI ");
    CHECK_FALSE(find_offer(setup, name));
  }
  CHECK(names_of(setup_with({}, {"ABCDEFGHIJKLMNOPQRST", "X_1-2", "PLUS"})) ==
        "ABCDEFGHIJKLMNOPQRST X_1-2 PLUS ");
}

TEST_CASE("commands with passwords need a mechanism with passwords") {
  using enum Mechanism;
  CHECK(offers_passwords(setup_with({External, Login}, {})));
  CHECK(offers_passwords(setup_with({Plain}, {})));
  CHECK_FALSE(offers_passwords(setup_with({XOAuth2, OAuthBearer, External}, {"PLAIN"})));
}
