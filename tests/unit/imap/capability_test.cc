#include "parsers/imap/capability.h"

#include <doctest/doctest.h>

#include "parsers/offer.h"

namespace postern {
namespace {

FrontSetup setup(bool secure, bool starttls, std::vector<Mechanism> mechanisms, std::string store = "") {
  FrontSetup result;
  result.secure = secure;
  result.starttls = starttls;
  result.mechanisms = std::move(mechanisms);
  result.store_capabilities = std::move(store);
  return result;
}

}  // namespace

TEST_CASE("a capability is found as a whole word in any case") {
  CHECK(has_capability("IMAP4rev1 LITERAL+", "literal+"));
  CHECK_FALSE(has_capability("IMAP4rev1 LITERAL+", "LITERAL"));
  CHECK_FALSE(has_capability("IMAP4rev1 LITERAL+", "LITERAL-"));
  CHECK_FALSE(has_capability("AUTH=PLAIN", "PLAIN"));
  CHECK_FALSE(has_capability("", "ID"));
}

TEST_CASE("what is offered depends on TLS and the mechanisms") {
  using enum Mechanism;
  CHECK(front_capabilities(setup(true, false, {Plain})) == "IMAP4rev1 SASL-IR LITERAL+ ID AUTH=PLAIN");
  CHECK(front_capabilities(setup(true, false, {Login, Plain})) ==
        "IMAP4rev1 SASL-IR LITERAL+ ID AUTH=LOGIN AUTH=PLAIN");
  CHECK(front_capabilities(setup(true, true, {Plain})) == "IMAP4rev1 SASL-IR LITERAL+ ID AUTH=PLAIN");
  CHECK(front_capabilities(setup(false, true, {Plain})) ==
        "IMAP4rev1 SASL-IR LITERAL+ ID STARTTLS LOGINDISABLED");
  CHECK(front_capabilities(setup(false, false, {Plain})) == "IMAP4rev1 SASL-IR LITERAL+ ID LOGINDISABLED");
  CHECK(front_capabilities(setup(true, false, {})) == "IMAP4rev1 SASL-IR LITERAL+ ID LOGINDISABLED");
}

TEST_CASE("tokens and relayed mechanisms are offered with TLS alone, and allow no LOGIN") {
  using enum Mechanism;
  FrontSetup tokens = setup(true, true, {XOAuth2, OAuthBearer, External});
  tokens.relayed = {"SCRAM-SHA-256"};
  CHECK(front_capabilities(tokens) ==
        "IMAP4rev1 SASL-IR LITERAL+ ID LOGINDISABLED AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=EXTERNAL "
        "AUTH=SCRAM-SHA-256");
  tokens.mechanisms.push_back(Plain);
  CHECK(front_capabilities(tokens) ==
        "IMAP4rev1 SASL-IR LITERAL+ ID AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=EXTERNAL AUTH=PLAIN "
        "AUTH=SCRAM-SHA-256");
  tokens.secure = false;
  CHECK(front_capabilities(tokens) == "IMAP4rev1 SASL-IR LITERAL+ ID STARTTLS LOGINDISABLED");
}

TEST_CASE("Command is no mechanism and allows no LOGIN by itself") {
  CHECK_FALSE(offers_passwords(setup(true, false, {Mechanism::Command})));
  CHECK(front_capabilities(setup(true, false, {Mechanism::Command})) ==
        "IMAP4rev1 SASL-IR LITERAL+ ID LOGINDISABLED");
  CHECK(offers_passwords(setup(true, false, {Mechanism::Login})));
}

TEST_CASE("a store's words are offered once, and not those that Postern decides") {
  CHECK(front_capabilities(
            setup(true, false, {}, " IDLE  idle AUTH=X sasl-ir literal- ENABLE Id login-referrals ")) ==
        "IMAP4rev1 SASL-IR LITERAL+ ID LOGINDISABLED IDLE ENABLE");
}

TEST_CASE("a list in a response code is read and cleaned") {
  CHECK(capabilities_in_code("[CAPABILITY IMAP4rev1 IDLE] hi") == "IMAP4rev1 IDLE");
  CHECK(capabilities_in_code("[capability  A   B ] hi") == "A B");
  CHECK(capabilities_in_code("[CAPABILITY A \"B\" C\x01 \xe4 D]") == "A D");
  CHECK(capabilities_in_code("[CAPABILITY A B hi").empty());
  CHECK(capabilities_in_code("[CAPABILITY]").empty());
  CHECK(capabilities_in_code("[CAPABILITYX A]").empty());
  CHECK(capabilities_in_code("hi [CAPABILITY A]").empty());
  CHECK(capabilities_in_code("").empty());
}

TEST_CASE("behind a login no word about logging in is left") {
  CHECK(capabilities_after_login("IMAP4rev1 starttls AUTH=PLAIN auth=x LOGINDISABLED SASL-IR IDLE") ==
        "IMAP4rev1 SASL-IR IDLE");
}

}  // namespace postern
