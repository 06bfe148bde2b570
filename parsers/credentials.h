#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/secret.h"

namespace postern {

// How the client proved itself. Command is IMAP's LOGIN and POP3's USER and PASS; the others are SASL.
enum class Mechanism : std::uint8_t { Command, Plain, Login };
inline constexpr std::size_t kMechanisms = 3;

constexpr std::string_view name_of(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::Command:
      return "command";
    case Mechanism::Plain:
      return "plain";
    case Mechanism::Login:
      return "login";
  }
  return "";
}

// What a client gave to log in, octet for octet: nothing is trimmed, folded or decoded further. The front
// dialogue has already refused an empty user, an empty password, NUL, CR and LF.
struct Credentials {
  Mechanism mechanism = Mechanism::Command;
  std::string user;           // the authentication identity
  std::string authorization;  // PLAIN's authzid; empty when absent or the same as `user`
  Secret password;
};

}  // namespace postern
