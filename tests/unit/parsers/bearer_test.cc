#include "parsers/bearer.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace postern;

namespace {

// "^" stands for ^A in these tables.
std::string with_separators(std::string text) {
  for (char& c : text) c = c == '^' ? '\x01' : c;
  return text;
}

struct Good {
  std::string message;
  std::string user;
  std::string token;
};

struct Bad {
  std::string message;
  CredentialsFault fault;
};

using Parse = decltype(&parse_xoauth2);

void check_good(Parse parse, Mechanism mechanism, const std::vector<Good>& rows) {
  for (const Good& row : rows) {
    CAPTURE(row.message);
    const std::string message = with_separators(row.message);
    const auto credentials = parse(message);
    REQUIRE(credentials.has_value());
    CHECK(credentials->mechanism == mechanism);
    CHECK(credentials->user == row.user);
    CHECK(credentials->password.reveal() == row.token);
    CHECK(credentials->message.reveal() == message);
    CHECK(credentials->has_message);
    CHECK(credentials->authorization == "");
    CHECK(credentials->sasl_name == "");
  }
}

void check_bad(Parse parse, const std::vector<Bad>& rows) {
  for (const Bad& row : rows) {
    CAPTURE(row.message);
    const auto credentials = parse(with_separators(row.message));
    REQUIRE_FALSE(credentials.has_value());
    CHECK(credentials.error() == row.fault);
  }
}

}  // namespace

TEST_CASE("XOAUTH2 gives user and token octet for octet") {
  check_good(
      &parse_xoauth2, Mechanism::XOAuth2,
      {
          {"user=alice^auth=Bearer tok^^", "alice", "tok"},
          {"user=a=b,c@example.com^auth=Bearer ya29.a0Af~_-+/==^^", "a=b,c@example.com", "ya29.a0Af~_-+/=="},
          {"user=alice^auth=bearer tok^^", "alice", "tok"},
          {"user=alice^auth=BEARER  tok^^", "alice", "tok"},
          {"user= \xc3\xa4lice ^auth=Bearer tok^^", " \xc3\xa4lice ", "tok"},
          {"user=" + std::string(kUserMax, 'u') + "^auth=Bearer " + std::string(20'000, 't') + "^^",
           std::string(kUserMax, 'u'), std::string(20'000, 't')},
      });
}

TEST_CASE("XOAUTH2 that is not its form is refused") {
  using enum CredentialsFault;
  check_bad(&parse_xoauth2, {
                                {"", Malformed},
                                {"^", Malformed},
                                {"user=alice", Malformed},
                                {"user=alice^", Malformed},
                                {"user=alice^auth=Bearer tok", Malformed},
                                {"user=alice^auth=Bearer tok^", Malformed},
                                {"user=alice^auth=Bearer tok^^^", Malformed},
                                {"user=alice^auth=Bearer tok^x=y^^", Malformed},
                                {"user=alice^auth=Bearer^^", EmptyPassword},
                                {"user=alice^auth=Bearer ^^", EmptyPassword},
                                {"user=alice^auth=^^", EmptyPassword},
                                {"user=alice^auth=Basic dG9r^^", Malformed},
                                {"user=alice^auth=Bearertok^^", Malformed},
                                {"user=alice^auth=Bearer to ken^^", Malformed},
                                {"user=alice^auth=Bearer tok ^^", Malformed},
                                {"user=alice^auth=Bearer t\xc3\xb6k^^", Malformed},
                                {"user=alice^auth=Bearer tok\r\n^^", Malformed},
                                {"USER=alice^auth=Bearer tok^^", Malformed},
                                {"auth=Bearer tok^user=alice^^", Malformed},
                                {" user=alice^auth=Bearer tok^^", Malformed},
                                {"n,a=alice,^auth=Bearer tok^^", Malformed},
                                {"user=^auth=Bearer tok^^", EmptyUser},
                                {"user=al\nice^auth=Bearer tok^^", ControlCharacter},
                                {"user=" + std::string(kUserMax + 1, 'u') + "^auth=Bearer tok^^", TooLong},
                                {std::string("user=al\0ice^auth=Bearer tok^^", 29), ControlCharacter},
                            });
}

TEST_CASE("OAUTHBEARER gives user and token, and looks at no other key") {
  check_good(&parse_oauthbearer, Mechanism::OAuthBearer,
             {
                 {"n,a=alice@example.com,^host=imap.example^port=143^auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHR^^",
                  "alice@example.com", "vF9dft4qmTc2Nvb3RlckBhbHR"},
                 {"n,a=alice,^auth=Bearer tok^^", "alice", "tok"},
                 {"y,a=alice,^auth=bEARER   tok^^", "alice", "tok"},
                 {"n,,^auth=Bearer tok^^", "", "tok"},
                 {"n,a==2C=2c=3D=3dalice=3D,^auth=Bearer tok^^", ",,==alice=", "tok"},
                 {"n,a=\xc3\xa4,^auth=Bearer t==^host=^Path=a b\tc^^", "\xc3\xa4", "t=="},
                 {"n,a=a,^AUTH=Bearer no^auth=Bearer tok^^", "a", "tok"},
                 {"n,,^auth=Bearer " + std::string(20'000, 't') + "^^", "", std::string(20'000, 't')},
             });
}

TEST_CASE("OAUTHBEARER that is not its form is refused") {
  using enum CredentialsFault;
  check_bad(&parse_oauthbearer,
            {
                {"", Malformed},
                {"^", Malformed},
                {"n,,", Malformed},
                {"n,,^", Malformed},
                {"n,,^^", Malformed},
                {"n,,^auth=Bearer tok", Malformed},
                {"n,,^auth=Bearer tok^", Malformed},
                {"n,,^auth=Bearer tok^^^", Malformed},
                {"n,,^auth=Bearer tok^^x", Malformed},
                {"n,,auth=Bearer tok^^", Malformed},
                {"n,^auth=Bearer tok^^", Malformed},
                {"n^auth=Bearer tok^^", Malformed},
                {"p=tls-unique,,^auth=Bearer tok^^", Malformed},
                {"p=tls-exporter,a=alice,^auth=Bearer tok^^", Malformed},
                {"N,,^auth=Bearer tok^^", Malformed},
                {"F,n,,^auth=Bearer tok^^", Malformed},
                {"x,,^auth=Bearer tok^^", Malformed},
                {"n,alice,^auth=Bearer tok^^", Malformed},
                {"n,a=,^auth=Bearer tok^^", Malformed},
                {"n,a=al=ice,^auth=Bearer tok^^", Malformed},
                {"n,a=alice=2,^auth=Bearer tok^^", Malformed},
                {"n,a=alice=,^auth=Bearer tok^^", Malformed},
                {"n,a=al,ice,^auth=Bearer tok^^", Malformed},
                {"n,,^auth=Bearer a^auth=Bearer b^^", Malformed},
                {"n,,^host=imap.example^^", Malformed},
                {"n,,^auth^^", Malformed},
                {"n,,^=x^auth=Bearer tok^^", Malformed},
                {"n,,^a1=x^auth=Bearer tok^^", Malformed},
                {"n,,^host=\xc3\xa4^auth=Bearer tok^^", Malformed},
                {"n,,^auth=Basic dG9r^^", Malformed},
                {"n,,^auth=Bearer to ken^^", Malformed},
                {"n,,^auth=Bearer tok\n^^", Malformed},
                {"n,,^auth=^^", EmptyPassword},
                {"n,,^auth=Bearer^^", EmptyPassword},
                {"n,a=al\nice,^auth=Bearer tok^^", ControlCharacter},
                {"n,a=" + std::string(kUserMax + 1, 'u') + ",^auth=Bearer tok^^", TooLong},
                {"user=alice^auth=Bearer tok^^", Malformed},
            });
}
