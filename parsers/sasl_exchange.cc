#include "parsers/sasl_exchange.h"

#include <cstdlib>
#include <expected>
#include <utility>

#include "parsers/bearer.h"

namespace postern {

namespace {

SaslExchange::Step step_of(std::expected<Credentials, CredentialsFault> parsed) {
  if (!parsed) return parsed.error();
  return *std::move(parsed);
}

SaslExchange::Step step_of(Credentials credentials) {
  if (const auto fault = check(credentials)) return *fault;
  return credentials;
}

}  // namespace

SaslExchange::Step SaslExchange::begin() {
  switch (mechanism_) {
    case Mechanism::Login:
      return Ask{kLoginUserChallenge};
    case Mechanism::Relayed:
      // Whoever is asked begins, if it is its turn.
      return step_of(Credentials{
          .mechanism = mechanism_, .user = {}, .authorization = {}, .password = {}, .sasl_name = name_});
    default:
      return Ask{""};
  }
}

SaslExchange::Step SaslExchange::take(const Secret& message) {
  switch (mechanism_) {
    case Mechanism::Plain:
      return step_of(parse_plain(message.reveal()));
    case Mechanism::Login:
      if (!user_) {
        user_ = message.reveal();
        return Ask{kLoginPasswordChallenge};
      }
      return step_of(Credentials{.mechanism = mechanism_,
                                 .user = *std::move(user_),
                                 .authorization = {},
                                 .password = message.clone()});
    case Mechanism::XOAuth2:
      return step_of(parse_xoauth2(message.reveal()));
    case Mechanism::OAuthBearer:
      return step_of(parse_oauthbearer(message.reveal()));
    case Mechanism::External:
      return step_of(Credentials{.mechanism = mechanism_,
                                 .user = {},
                                 .authorization = std::string(message.reveal()),
                                 .password = {}});
    case Mechanism::Relayed:
      return step_of(Credentials{.mechanism = mechanism_,
                                 .user = {},
                                 .authorization = {},
                                 .password = {},
                                 .sasl_name = name_,
                                 .message = message.clone(),
                                 .has_message = true});
    case Mechanism::Command:
      break;
  }
  std::abort();
}

}  // namespace postern
