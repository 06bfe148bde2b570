#include "parsers/bearer.h"

#include <algorithm>
#include <optional>
#include <string>

namespace postern {

namespace {

constexpr char kSeparator = '\x01';

// Takes what stands in front of `end` off `rest`, and `end` too; nullopt: `end` is not there.
std::optional<std::string_view> take_until(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return taken;
}

bool take_prefix(std::string_view& rest, std::string_view prefix) {
  if (!rest.starts_with(prefix)) return false;
  rest.remove_prefix(prefix.size());
  return true;
}

// The token in "Bearer token" (RFC 6750 §2.1), the scheme in any case; empty when there is no token.
std::optional<std::string_view> parse_authorization(std::string_view value) {
  if (value.empty()) return value;
  const std::size_t space = std::min(value.find(' '), value.size());
  if (!same_word(value.substr(0, space), "BEARER")) return std::nullopt;
  value.remove_prefix(std::min(value.find_first_not_of(' ', space), value.size()));
  return value;
}

// An authorization identity of GS2: ',' and '=' are written as =2C and =3D, and '=' stands for nothing else.
std::optional<std::string> parse_saslname(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::string name;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('='), text.size());
    name += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::string_view escape = text.substr(0, 3);
    const bool comma = same_word(escape, "=2C");
    if (!comma && !same_word(escape, "=3D")) return std::nullopt;
    name += comma ? ',' : '=';
    text.remove_prefix(escape.size());
  }
  return name;
}

// What `auth` holds; the other keys need only have their form. nullopt: malformed.
std::optional<std::string_view> find_authorization(std::string_view pairs) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  const auto in_value = [](char c) {
    return (c >= ' ' && c < '\x7f') || c == '\t' || c == '\r' || c == '\n';
  };
  std::optional<std::string_view> found;
  while (pairs.size() > 1) {
    const auto pair = take_until(pairs, kSeparator);
    if (!pair) return std::nullopt;
    const std::size_t equals = pair->find('=');
    if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = pair->substr(0, equals);
    const std::string_view value = pair->substr(equals + 1);
    if (!std::ranges::all_of(key, is_letter) || !std::ranges::all_of(value, in_value)) return std::nullopt;
    if (key != "auth") continue;
    if (found) return std::nullopt;
    found = value;
  }
  return pairs == std::string_view(&kSeparator, 1) ? found : std::nullopt;
}

std::expected<Credentials, CredentialsFault> credentials_of(Mechanism mechanism, std::string user,
                                                            std::string_view token,
                                                            std::string_view message) {
  Credentials credentials{.mechanism = mechanism,
                          .user = std::move(user),
                          .authorization = {},
                          .password = Secret(token),
                          .message = Secret(message),
                          .has_message = true};
  if (const auto fault = check(credentials)) return std::unexpected(*fault);
  return credentials;
}

}  // namespace

std::expected<Credentials, CredentialsFault> parse_xoauth2(std::string_view message) {
  std::string_view rest = message;
  if (!take_prefix(rest, "user=")) return std::unexpected(CredentialsFault::Malformed);
  const auto user = take_until(rest, kSeparator);
  if (!user || !take_prefix(rest, "auth=")) return std::unexpected(CredentialsFault::Malformed);
  const auto value = take_until(rest, kSeparator);
  const auto token = value ? parse_authorization(*value) : std::nullopt;
  if (!token || rest != std::string_view(&kSeparator, 1)) return std::unexpected(CredentialsFault::Malformed);
  return credentials_of(Mechanism::XOAuth2, std::string(*user), *token, message);
}

std::expected<Credentials, CredentialsFault> parse_oauthbearer(std::string_view message) {
  std::string_view rest = message;
  if (!take_prefix(rest, "n,") && !take_prefix(rest, "y,")) {
    return std::unexpected(CredentialsFault::Malformed);
  }
  auto identity = take_until(rest, ',');
  std::optional<std::string> user;
  if (identity && identity->empty()) user.emplace();
  if (identity && take_prefix(*identity, "a=")) user = parse_saslname(*identity);
  if (!user || !take_prefix(rest, std::string_view(&kSeparator, 1))) {
    return std::unexpected(CredentialsFault::Malformed);
  }
  const auto value = find_authorization(rest);
  const auto token = value ? parse_authorization(*value) : std::nullopt;
  if (!token) return std::unexpected(CredentialsFault::Malformed);
  return credentials_of(Mechanism::OAuthBearer, *std::move(user), *token, message);
}

}  // namespace postern
