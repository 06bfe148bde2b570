#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/secret.h"

namespace postern {

// How the client proved itself. Command is IMAP's LOGIN and POP3's USER and PASS; the others are SASL.
// Relayed is every mechanism that an authentication service offers and that passes through us challenge by
// challenge.
enum class Mechanism : std::uint8_t { Command, Plain, Login, XOAuth2, OAuthBearer, External, Relayed };
inline constexpr std::size_t kMechanisms = 7;

constexpr std::string_view name_of(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::Command:
      return "command";
    case Mechanism::Plain:
      return "plain";
    case Mechanism::Login:
      return "login";
    case Mechanism::XOAuth2:
      return "xoauth2";
    case Mechanism::OAuthBearer:
      return "oauthbearer";
    case Mechanism::External:
      return "external";
    case Mechanism::Relayed:
      return "relayed";
  }
  return "";
}

// What a client gave to log in, octet for octet: nothing is trimmed, folded or decoded further. The front
// dialogue has already refused an empty user, an empty password, NUL, CR and LF.
//   Command, Plain, Login  user and password
//   XOAuth2, OAuthBearer   user (OAUTHBEARER may leave it empty: the token says it), and the bearer token as
//                          password; message is what the client sent, decoded
//   External               authorization is what the client asked for, often empty; the certificate says the
//                          rest, and the driver fills in `user`
//   Relayed                sasl_name and message alone; the service that is asked says who it was
struct Credentials {
  Mechanism mechanism = Mechanism::Command;
  std::string user;           // the authentication identity
  std::string authorization;  // PLAIN's authzid; empty when absent or the same as `user`
  Secret password;
  std::string sasl_name{};  // Relayed: "SCRAM-SHA-256"
  Secret message{};         // the initial response, decoded
  bool has_message =
      false;  // false: the client sent no initial response, which is not the same as an empty one
};

}  // namespace postern
