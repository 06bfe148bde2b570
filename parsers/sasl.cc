#include "parsers/sasl.h"

#include <algorithm>
#include <string>

namespace postern {

namespace {

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c == '\0' || c == '\r' || c == '\n'; });
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_token(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::optional<CredentialsFault> check(const Credentials& credentials) {
  if (credentials.user.size() > kUserMax || credentials.authorization.size() > kUserMax) {
    return CredentialsFault::TooLong;
  }
  if (has_control(credentials.user) || has_control(credentials.authorization)) {
    return CredentialsFault::ControlCharacter;
  }
  const std::string_view password = credentials.password.reveal();
  switch (credentials.mechanism) {
    case Mechanism::External:
    case Mechanism::Relayed:
      return std::nullopt;
    case Mechanism::XOAuth2:
    case Mechanism::OAuthBearer:
      if (credentials.user.empty() && credentials.mechanism == Mechanism::XOAuth2) {
        return CredentialsFault::EmptyUser;
      }
      if (password.empty()) return CredentialsFault::EmptyPassword;
      if (!is_token(password)) return CredentialsFault::Malformed;
      return std::nullopt;
    case Mechanism::Command:
    case Mechanism::Plain:
    case Mechanism::Login:
      break;
  }
  if (has_control(password)) return CredentialsFault::ControlCharacter;
  if (credentials.user.empty()) return CredentialsFault::EmptyUser;
  if (password.empty()) return CredentialsFault::EmptyPassword;
  if (password.size() > kPasswordMax) return CredentialsFault::PasswordTooLong;
  return std::nullopt;
}

std::expected<Credentials, CredentialsFault> parse_plain(std::string_view message) {
  if (std::ranges::count(message, '\0') != 2) return std::unexpected(CredentialsFault::Malformed);
  const std::size_t first = message.find('\0');
  const std::size_t second = message.find('\0', first + 1);
  Credentials credentials{
      .mechanism = Mechanism::Plain,
      .user = std::string(message.substr(first + 1, second - first - 1)),
      .authorization = std::string(message.substr(0, first)),
      .password = Secret(message.substr(second + 1)),
  };
  if (credentials.authorization == credentials.user) credentials.authorization.clear();
  if (const auto fault = check(credentials)) return std::unexpected(*fault);
  return credentials;
}

Secret write_plain(std::string_view authorization, std::string_view user, std::string_view password) {
  constexpr std::string_view separator("\0", 1);
  Secret message;
  message.reserve(authorization.size() + user.size() + password.size() + 2);
  message.append(authorization);
  message.append(separator);
  message.append(user);
  message.append(separator);
  message.append(password);
  return message;
}

std::optional<Mechanism> parse_mechanism(std::string_view name) {
  for (const Mechanism mechanism : {Mechanism::Plain, Mechanism::Login, Mechanism::XOAuth2,
                                    Mechanism::OAuthBearer, Mechanism::External}) {
    if (same_word(name, sasl_name_of(mechanism))) return mechanism;
  }
  return std::nullopt;
}

std::string_view sasl_name_of(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::Command:
    case Mechanism::Relayed:
      return "";
    case Mechanism::Plain:
      return "PLAIN";
    case Mechanism::Login:
      return "LOGIN";
    case Mechanism::XOAuth2:
      return "XOAUTH2";
    case Mechanism::OAuthBearer:
      return "OAUTHBEARER";
    case Mechanism::External:
      return "EXTERNAL";
  }
  return "";
}

bool same_word(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, upper, upper); }

}  // namespace postern
