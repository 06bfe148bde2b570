#include "proxy/route/pattern.h"

#include <chrono>
#include <doctest/doctest.h>
#include <vector>

namespace postern::route {

TEST_CASE("a user pattern matches the whole name, octet for octet") {
  struct Row {
    std::string pattern;
    std::string user;
    bool matches;
  };
  const std::vector<Row> rows{
      {"*", "", true},
      {"*", "anybody", true},
      {"bob", "bob", true},
      {"bob", "bobby", false},
      {"bob", "abob", false},
      {"bob", "Bob", false},
      {"*@example.org", "bob@example.org", true},
      {"*@example.org", "@example.org", true},
      {"*@example.org", "bob@example.org.evil", false},
      {"*@example.org", "bob@EXAMPLE.ORG", false},
      {"*@example.org", "bob@exampleXorg", false},
      {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "a-b-c-", false},
      {"user?", "user1", true},
      {"user?", "user", false},
      {"user?", "user12", false},
      {"**?", "x", true},
      {"**?", "", false},
      // What is an operator in a regular expression is itself in a glob.
      {"a.b+c", "a.b+c", true},
      {"a.b+c", "aXbbc", false},
      {"(x|y)[z]^$\\d{2}", "(x|y)[z]^$\\d{2}", true},
      {"(x|y)", "x", false},
      {"[ab]", "a", false},
      {"\\*", "\\anything", true},
      {".*", "x", false},
      // Octets of no character set, and a line feed, are octets like others.
      {"b?b",
       "b\xff"
       "b",
       true},
      {"*\xc3\xbc*", "M\xc3\xbcller", true},
      {"b?b",
       "b\xc3\xbc"
       "b",
       false},
      {"a*b", "a\nb", true},
      {std::string("a*\0c", 4), std::string("ab\0c", 4), true},
      // Regular expressions.
      {"/[a-m].*@example\\.org/", "bob@example.org", true},
      {"/[a-m].*@example\\.org/", "xbob@example.org", false},
      {"/bob/", "bobby", false},
      {"/bob/", "a bob", false},
      {"/a|bc/", "a", true},
      {"/a|bc/", "bc", true},
      {"/a|bc/", "ac", false},
      {"/(?i)bob/", "BOB", true},
      {"/a/b/", "a/b", true},
      {"/.../", "b\xff\n", true},
      {"///", "/", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.user);
    const auto pattern = Pattern::user(row.pattern);
    REQUIRE(pattern);
    CHECK(pattern->matches(row.user) == row.matches);
  }
}

TEST_CASE("a glob may ignore the case of ASCII letters") {
  const auto pattern = Pattern::glob("IMAP.*.example.net", Pattern::Case::Ignored);
  REQUIRE(pattern);
  CHECK(pattern->matches("imap.EU.Example.NET"));
  CHECK_FALSE(pattern->matches("imapx.eu.example.net"));
}

TEST_CASE("what is no pattern is refused with a reason") {
  for (const std::string text : {"", "/", "//", "/abc", "/(/", "/a{1001}/", "/\\1/", "/(?=x)/", "/[b-a]/"}) {
    CAPTURE(text);
    const auto pattern = Pattern::user(text);
    REQUIRE_FALSE(pattern);
    CHECK_FALSE(pattern.error().empty());
  }
}

TEST_CASE("no name makes a pattern slow") {
  // Backtracking would take longer than the machine lasts.
  const std::string user(40'000, 'a');
  const auto start = std::chrono::steady_clock::now();
  for (const std::string text :
       {"*a*a*a*a*a*a*a*a*a*a*b", "/(a+)+b/", "/(a|aa)*b/", "/(.*)(.*)(.*)(.*)(.*)[b]/"}) {
    CAPTURE(text);
    const auto pattern = Pattern::user(text);
    REQUIRE(pattern);
    CHECK_FALSE(pattern->matches(user));
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

}  // namespace postern::route
