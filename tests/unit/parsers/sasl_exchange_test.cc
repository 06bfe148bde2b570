#include "parsers/sasl_exchange.h"

#include <doctest/doctest.h>
#include <string>

using namespace postern;

namespace {

// A step in words.
std::string told(const SaslExchange::Step& step) {
  if (const auto* ask = std::get_if<SaslExchange::Ask>(&step)) return "ask " + std::string(ask->challenge);
  if (const auto* fault = std::get_if<CredentialsFault>(&step)) {
    return "fault " + std::to_string(static_cast<int>(*fault));
  }
  const auto& credentials = std::get<Credentials>(step);
  std::string text = std::string(name_of(credentials.mechanism)) + "|" + credentials.user + "|" +
                     std::string(credentials.password.reveal()) + "|" + credentials.authorization + "|" +
                     credentials.sasl_name;
  if (credentials.has_message) text += "|" + std::string(credentials.message.reveal());
  return text;
}

std::string fault(CredentialsFault fault) { return "fault " + std::to_string(static_cast<int>(fault)); }

}  // namespace

TEST_CASE("without an initial response all but LOGIN and what is relayed ask with an empty challenge") {
  using enum Mechanism;
  for (const Mechanism mechanism : {Plain, XOAuth2, OAuthBearer, External}) {
    CHECK(told(SaslExchange({mechanism, sasl_name_of(mechanism)}).begin()) == "ask ");
  }
  CHECK(told(SaslExchange({Login, "LOGIN"}).begin()) == "ask VXNlcm5hbWU6");
  CHECK(told(SaslExchange({Relayed, "CRAM-MD5"}).begin()) == "relayed||||CRAM-MD5");
}

TEST_CASE("the message gives the credentials, or what is wrong with it") {
  using enum Mechanism;
  const auto take = [](Mechanism mechanism, std::string_view message) {
    return told(SaslExchange({mechanism, "NAME"}).take(Secret(message)));
  };
  CHECK(take(Plain, std::string_view("\0alice\0secret", 13)) == "plain|alice|secret||");
  CHECK(take(Plain, "") == fault(CredentialsFault::Malformed));
  CHECK(take(XOAuth2,
             "user=a\x01"
             "auth=Bearer t\x01\x01") ==
        "xoauth2|a|t|||user=a\x01"
        "auth=Bearer t\x01\x01");
  CHECK(take(OAuthBearer,
             "n,,\x01"
             "auth=Bearer t\x01\x01") ==
        "oauthbearer||t|||n,,\x01"
        "auth=Bearer t\x01\x01");
  CHECK(take(OAuthBearer, "x") == fault(CredentialsFault::Malformed));
  CHECK(take(External, "") == "external||||");
  CHECK(take(External, "bob") == "external|||bob|");
  CHECK(take(External, "bo\nb") == fault(CredentialsFault::ControlCharacter));
  CHECK(take(Relayed, "") == "relayed||||NAME|");
  CHECK(take(Relayed, std::string_view("\0\r\n\xff", 4)) == std::string("relayed||||NAME|\0\r\n\xff", 20));
}

TEST_CASE("LOGIN takes the name first, asked or not") {
  for (const bool initial : {false, true}) {
    SaslExchange exchange({Mechanism::Login, "LOGIN"});
    if (!initial) exchange.begin();
    CHECK(told(exchange.take(Secret("alice"))) == "ask UGFzc3dvcmQ6");
    CHECK(told(exchange.take(Secret("secret"))) == "login|alice|secret||");
  }
}
