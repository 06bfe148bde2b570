#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "parsers/credentials.h"

namespace postern {

// Why credentials can't be taken, before anybody is asked about them.
enum class CredentialsFault : std::uint8_t {
  Malformed,         // not the mechanism's form
  ControlCharacter,  // NUL, CR or LF inside a name or password
  EmptyUser,
  EmptyPassword,    // or token; a directory server would take it as an anonymous login
  TooLong,          // a user name of more than kUserMax bytes
  PasswordTooLong,  // of more than kPasswordMax bytes; tokens have no limit of their own
};
inline constexpr std::size_t kUserMax = 1024;
inline constexpr std::size_t kPasswordMax = 4096;

// Checks what a front dialogue is about to hand on; nullopt: fine. A bearer token is one word of printable
// ASCII (RFC 6750 §2.1 allows less). Only OAUTHBEARER may be without a user, and EXTERNAL and what is relayed
// have neither user nor password.
std::optional<CredentialsFault> check(const Credentials& credentials);

// PLAIN (RFC 4616 §2): [authzid] NUL authcid NUL passwd, already decoded; checked.
std::expected<Credentials, CredentialsFault> parse_plain(std::string_view message);

// The same as a client sends it, before base64.
Secret write_plain(std::string_view authorization, std::string_view user, std::string_view password);

// A mechanism's name as in AUTH=, in any case; nullopt for one that Postern does not speak.
std::optional<Mechanism> parse_mechanism(std::string_view name);
std::string_view sasl_name_of(Mechanism mechanism);  // "PLAIN"; empty for Command and Relayed
constexpr bool is_bearer(Mechanism mechanism) {
  return mechanism == Mechanism::XOAuth2 || mechanism == Mechanism::OAuthBearer;
}

bool same_word(std::string_view a, std::string_view b);  // but for the case of ASCII letters

// What every store reads before a login. Dovecot stops at 1026 octets of a command, LOGIN with its literals
// too, and at 8192 of a response in base64; then it closes, and does not say why. What is longer than that
// must not be sent: it would look as if the store had failed, and every other one would fail next.
inline constexpr std::size_t kStoreCommandMax = 900;
inline constexpr std::size_t kStoreResponseMax = 8188;
inline constexpr std::string_view kTooLongForStore = "Password or token is too long for the mail store.";

// The challenges of the LOGIN mechanism, in base64.
inline constexpr std::string_view kLoginUserChallenge = "VXNlcm5hbWU6";
inline constexpr std::string_view kLoginPasswordChallenge = "UGFzc3dvcmQ6";

}  // namespace postern
