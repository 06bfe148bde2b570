#include "parsers/sasl.h"

#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <vector>

#include "parsers/base64.h"

using namespace postern;

namespace {

// "." stands for NUL in these tables.
std::string with_nul(std::string text) {
  for (char& c : text) c = c == '.' ? '\0' : c;
  return text;
}

struct Good {
  std::string message;
  std::string authorization;
  std::string user;
  std::string password;
};

struct Bad {
  std::string message;
  CredentialsFault fault;
};

}  // namespace

TEST_CASE("PLAIN gives identity, user and password octet for octet") {
  const std::vector<Good> rows{
      {".alice.secret", "", "alice", "secret"},
      {"bob.alice.secret", "bob", "alice", "secret"},
      {"alice.alice.secret", "", "alice", "secret"},
      {"Alice.alice.secret", "Alice", "alice", "secret"},
      {". alice . secret ", "", " alice ", " secret "},
      {".\xc3\xa4lice.p\xc3\xa4ss", "", "\xc3\xa4lice", "p\xc3\xa4ss"},
      {".\xff\xfe.\x80", "", "\xff\xfe", "\x80"},
      {".%n%s.\x01\x7f\t", "", "%n%s", "\x01\x7f\t"},
      {"." + std::string(255, 'u') + "." + std::string(255, 'p'), "", std::string(255, 'u'),
       std::string(255, 'p')},
      {"." + std::string(kUserMax, 'u') + ".p", "", std::string(kUserMax, 'u'), "p"},
  };
  for (const Good& row : rows) {
    CAPTURE(row.message);
    const auto credentials = parse_plain(with_nul(row.message));
    REQUIRE(credentials.has_value());
    CHECK(credentials->mechanism == Mechanism::Plain);
    CHECK(credentials->authorization == row.authorization);
    CHECK(credentials->user == row.user);
    CHECK(credentials->password.reveal() == row.password);
  }
}

TEST_CASE("PLAIN that is not its form is refused") {
  using enum CredentialsFault;
  const std::vector<Bad> rows{
      {"", Malformed},
      {"alice", Malformed},
      {".alice", Malformed},
      {"alice.secret", Malformed},
      {".alice.secret.", Malformed},
      {".alice.sec.ret", Malformed},
      {"...", Malformed},
      {"..", EmptyUser},
      {"..secret", EmptyUser},
      {"bob..secret", EmptyUser},
      {".alice.", EmptyPassword},
      {".alice\r.secret", ControlCharacter},
      {".alice\n.secret", ControlCharacter},
      {".alice.sec\r\nret", ControlCharacter},
      {"bo\nb.alice.secret", ControlCharacter},
      {"." + std::string(kUserMax + 1, 'u') + ".p", TooLong},
      {std::string(kUserMax + 1, 'z') + ".u.p", TooLong},
  };
  for (const Bad& row : rows) {
    CAPTURE(row.message);
    const auto credentials = parse_plain(with_nul(row.message));
    REQUIRE_FALSE(credentials.has_value());
    CHECK(credentials.error() == row.fault);
  }
}

TEST_CASE("what write_plain writes, parse_plain reads") {
  const Secret message = write_plain("bob", "master", "p w");
  CHECK(message.reveal() == with_nul("bob.master.p w"));
  const auto credentials = parse_plain(message.reveal());
  REQUIRE(credentials.has_value());
  CHECK(credentials->authorization == "bob");
  CHECK(credentials->user == "master");
  CHECK(credentials->password.reveal() == "p w");
  CHECK(write_plain("", "alice", "secret").reveal() == with_nul(".alice.secret"));
}

TEST_CASE("credentials of a command are checked like those of a mechanism") {
  const auto fault = [](std::string user, std::string_view password) {
    Credentials credentials;
    credentials.user = std::move(user);
    credentials.password = Secret(password);
    return check(credentials);
  };
  CHECK(fault("alice", "secret") == std::nullopt);
  CHECK(fault("", "secret") == CredentialsFault::EmptyUser);
  CHECK(fault("alice", "") == CredentialsFault::EmptyPassword);
  CHECK(fault(with_nul("al.ice"), "secret") == CredentialsFault::ControlCharacter);
  CHECK(fault("alice", with_nul("se.cret")) == CredentialsFault::ControlCharacter);
  CHECK(fault("alice", "se\rcret") == CredentialsFault::ControlCharacter);
  CHECK(fault("alice", "secret\n") == CredentialsFault::ControlCharacter);
  CHECK(fault(std::string(kUserMax, 'u'), "x") == std::nullopt);
  CHECK(fault(std::string(kUserMax + 1, 'u'), "x") == CredentialsFault::TooLong);
}

TEST_CASE("a password is bounded, with every mechanism that has one") {
  for (const Mechanism mechanism : {Mechanism::Command, Mechanism::Plain, Mechanism::Login}) {
    CAPTURE(name_of(mechanism));
    Credentials credentials{.mechanism = mechanism, .user = "alice", .authorization = {}, .password = {}};
    credentials.password = Secret(std::string(kPasswordMax, 'p'));
    CHECK(check(credentials) == std::nullopt);
    credentials.password.append("p");
    CHECK(check(credentials) == CredentialsFault::PasswordTooLong);
  }
}

TEST_CASE("what each mechanism may leave out") {
  struct Row {
    Mechanism mechanism;
    std::string user;
    std::string authorization;
    std::string password;
    std::optional<CredentialsFault> fault;
  };
  using enum Mechanism;
  using enum CredentialsFault;
  const std::string long_token(100'000, 't');
  for (const Row& row : {
           Row{XOAuth2, "alice", "", "tok", std::nullopt},
           Row{XOAuth2, "", "", "tok", EmptyUser},
           Row{XOAuth2, "alice", "", "", EmptyPassword},
           Row{XOAuth2, "alice", "", "to ken", Malformed},
           Row{XOAuth2, "alice", "", "to\xc3\xa4ken", Malformed},
           Row{XOAuth2, "alice", "", "tok\x7f", Malformed},
           Row{XOAuth2, "al\nice", "", "tok", ControlCharacter},
           Row{XOAuth2, "alice", "", long_token, std::nullopt},
           Row{OAuthBearer, "", "", "tok", std::nullopt},
           Row{OAuthBearer, "alice", "", "", EmptyPassword},
           Row{OAuthBearer, "alice", "", "tok\r", Malformed},
           Row{OAuthBearer, std::string(kUserMax + 1, 'u'), "", "tok", TooLong},
           Row{External, "", "", "", std::nullopt},
           Row{External, "", "bob", "", std::nullopt},
           Row{External, "", "bo\nb", "", ControlCharacter},
           Row{External, "", std::string(kUserMax, 'u'), "", std::nullopt},
           Row{External, "", std::string(kUserMax + 1, 'u'), "", TooLong},
           Row{Relayed, "", "", "", std::nullopt},
       }) {
    CAPTURE(name_of(row.mechanism));
    CAPTURE(row.user);
    CAPTURE(row.authorization);
    CHECK(check({.mechanism = row.mechanism,
                 .user = row.user,
                 .authorization = row.authorization,
                 .password = Secret(row.password)}) == row.fault);
  }
}

TEST_CASE("mechanisms are known by name in any case, and no others") {
  CHECK(parse_mechanism("PLAIN") == Mechanism::Plain);
  CHECK(parse_mechanism("plain") == Mechanism::Plain);
  CHECK(parse_mechanism("pLaIn") == Mechanism::Plain);
  CHECK(parse_mechanism("LOGIN") == Mechanism::Login);
  CHECK(parse_mechanism("xoauth2") == Mechanism::XOAuth2);
  CHECK(parse_mechanism("OAuthBearer") == Mechanism::OAuthBearer);
  CHECK(parse_mechanism("external") == Mechanism::External);
  for (const char* name : {"", " PLAIN", "PLAIN ", "PLAI", "PLAINX", "EXTERNAL-PLUS", "CRAM-MD5",
                           "SCRAM-SHA-256", "XOAUTH", "COMMAND", "RELAYED", "\xd0\x90"}) {
    CAPTURE(name);
    CHECK(parse_mechanism(name) == std::nullopt);
  }
  CHECK(sasl_name_of(Mechanism::Command) == "");
  CHECK(sasl_name_of(Mechanism::Relayed) == "");
  for (const Mechanism mechanism : {Mechanism::Plain, Mechanism::Login, Mechanism::XOAuth2,
                                    Mechanism::OAuthBearer, Mechanism::External}) {
    CHECK(parse_mechanism(sasl_name_of(mechanism)) == mechanism);
  }
}

TEST_CASE("the challenges of LOGIN are what they mean") {
  CHECK(encode_base64("Username:").reveal() == kLoginUserChallenge);
  CHECK(encode_base64("Password:").reveal() == kLoginPasswordChallenge);
}
