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
  EmptyPassword,  // a directory server would take it as an anonymous login
  TooLong,        // a user name of more than kUserMax bytes
};
inline constexpr std::size_t kUserMax = 1024;

// Checks what a front dialogue is about to hand on; nullopt: fine.
std::optional<CredentialsFault> check(const Credentials& credentials);

// PLAIN (RFC 4616 §2): [authzid] NUL authcid NUL passwd, already decoded; checked.
std::expected<Credentials, CredentialsFault> parse_plain(std::string_view message);

// The same as a client sends it, before base64.
Secret write_plain(std::string_view authorization, std::string_view user, std::string_view password);

// A mechanism's name as in AUTH=, in any case; nullopt for one that Postern does not speak.
std::optional<Mechanism> parse_mechanism(std::string_view name);
std::string_view sasl_name_of(Mechanism mechanism);  // "PLAIN"; empty for Command and Relayed

// The challenges of the LOGIN mechanism, in base64.
inline constexpr std::string_view kLoginUserChallenge = "VXNlcm5hbWU6";
inline constexpr std::string_view kLoginPasswordChallenge = "UGFzc3dvcmQ6";

}  // namespace postern
