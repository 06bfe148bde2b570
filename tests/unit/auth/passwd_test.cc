#include "proxy/auth/passwd.h"

#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <sstream>
#include <vector>

#include "proxy/auth/verifier.h"
#include "tests/temporary_directory.h"
#include "tests/unit/auth/hashes.h"

namespace postern::auth {
namespace {

std::string told(const std::optional<PasswdEntry>& entry) {
  if (!entry) return "nobody";
  return std::string(entry->user) + "|" + std::string(entry->hash) + "|" + std::string(entry->pool) + "|" +
         std::string(entry->backend);
}

// "2: the user is empty"; all of them, separated by line feeds.
std::string problems(const std::string& text) {
  const auto file = PasswdFile::parse(text);
  if (file) return "none";
  std::string all;
  for (const files::Problem& error : file.error()) {
    all += (all.empty() ? "" : "\n") + std::to_string(error.line) + ": " + error.text;
  }
  return all;
}

}  // namespace

TEST_CASE("users, pools and backends are read as they stand") {
  const std::string hash = kSha256;
  const auto file = PasswdFile::parse("# comment\n\nbob:" + hash + "\nalice@example.org:{SHA256-CRYPT}" +
                                      hash + ":store\ncarol:{crypt}" + hash + ":store:s2\ndave:" + hash +
                                      "::\nB\xc3\xb6"
                                      "b:" +
                                      hash + ":archive:");
  REQUIRE(file);
  CHECK((*file)->size() == 5);
  CHECK(told((*file)->find("bob")) == "bob|" + hash + "||");
  CHECK(told((*file)->find("alice@example.org")) == "alice@example.org|" + hash + "|store|");
  CHECK(told((*file)->find("carol")) == "carol|" + hash + "|store|s2");
  CHECK(told((*file)->find("dave")) == "dave|" + hash + "||");
  CHECK(told((*file)->find("B\xc3\xb6"
                           "b")) ==
        "B\xc3\xb6"
        "b|" +
            hash + "|archive|");
}

TEST_CASE("a user is found by exactly its octets") {
  const auto file = PasswdFile::parse(std::string("bob:") + kSha256 + "\n");
  REQUIRE(file);
  for (const std::string user : {"Bob", "bob ", " bob", "bo", "bobb", "", "#", "bob:"}) {
    CAPTURE(user);
    CHECK(told((*file)->find(user)) == "nobody");
  }
  CHECK(told((*file)->find(std::string("bob\0", 4))) == "nobody");
}

TEST_CASE("every supported method is accepted, with its scheme, with {CRYPT} and with none, and verifies") {
  for (const auto& [scheme, hash] : kEveryHash) {
    for (const std::string& prefix :
         {std::string(), std::string("{CRYPT}"), "{" + std::string(scheme) + "}"}) {
      CAPTURE(hash);
      CAPTURE(prefix);
      const auto file = PasswdFile::parse("bob:" + prefix + hash + ":p:b");
      REQUIRE(file);
      const auto entry = (*file)->find("bob");
      REQUIRE(entry);
      CHECK(entry->pool == "p");
      CHECK(entry->backend == "b");
      CHECK(verify(Secret("secret"), entry->hash) == Verdict::Right);
      CHECK(verify(Secret("Secret"), entry->hash) == Verdict::Wrong);
    }
  }
}

TEST_CASE("a locked user is none") {
  const auto file = PasswdFile::parse(std::string("a:!\nb:*\nc:!") + kSha256 + ":store\n");
  REQUIRE(file);
  CHECK((*file)->size() == 3);
  for (const auto user : {"a", "b", "c"}) CHECK(told((*file)->find(user)) == "nobody");
}

TEST_CASE("what cannot be used is refused, with its line and without its hash") {
  const std::string hash = kSha256;
  struct Row {
    std::string text;
    std::string problem;
  };
  const std::string incomplete = "not a complete hash of a method of crypt(3) that is supported";
  const std::vector<Row> rows{
      {"bob\n", "1: no colon behind the user"},
      {"\n# x\n:" + hash, "3: the user is empty"},
      {"bob:", "1: the hash is empty"},
      {"bob:{CRYPT}", "1: the hash is empty"},
      {"bob:" + hash + ":p:b:", "1: more than four fields: user:hash:pool:backend"},
      {"bob:" + hash + ":1000:1000::/home/bob::", "1: more than four fields: user:hash:pool:backend"},
      {"bob:" + hash + "::b", "1: a backend without its pool"},
      {"bob:" + hash + "\r\n", "1: a carriage return: lines end with a line feed alone"},
      {"b\tob:" + hash, "1: a control character"},
      {std::string("b\0ob:x", 6), "1: a control character"},
      {" bob:" + hash, "1: a space beside a field"},
      {"bob :" + hash, "1: a space beside a field"},
      {"bob:" + hash + ": store", "1: a space beside a field"},
      {"\xEF\xBB\xBF"
       "bob:" +
           hash,
       "1: the file starts with a byte order mark"},
      {std::string(70'000, 'u') + ":" + hash, "1: a field is too long"},
      {"bob:" + hash + "\nalice:" + hash + "\nbob:" + hash, "3: the user is on line 1 already"},
      {"bob:{SSHA}abcdef", "1: the scheme {SSHA} is not supported"},
      {"bob:{ssha512.hex}abcdef", "1: the scheme {SSHA512.HEX} is not supported"},
      {"bob:{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$x$y", "1: the scheme {ARGON2ID} is not supported"},
      {"bob:{PLAIN}secret", "1: a password in clear text: write its hash"},
      {"bob:{cleartext}secret", "1: a password in clear text: write its hash"},
      {"bob:{CRYPT", "1: a brace opens, but no scheme follows"},
      {"bob:{}x", "1: a brace opens, but no scheme follows"},
      {"bob:{a b}x", "1: a brace opens, but no scheme follows"},
      {"bob:secret", "1: " + incomplete},
      {"bob:x", "1: " + incomplete},
      {"bob:ZC5wGA79Z/W2o", "1: " + incomplete},  // DES: eight characters count
      {"bob:" + hash.substr(0, hash.size() - 1), "1: " + incomplete},
      {"bob:" + hash + "x", "1: " + incomplete},
      {"bob:{SHA512-CRYPT}" + hash, "1: " + incomplete},
      {"bob:{BLF-CRYPT}" + hash, "1: " + incomplete},
      {"bob:$2b$99$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "1: " + incomplete},
  };
  for (const Row& row : rows) {
    CAPTURE(row.problem);
    CHECK(problems(row.text) == row.problem);
  }
}

TEST_CASE("all problems are told at once, in the file's order") {
  const std::string hash = kSha256;
  CHECK(problems("bob:" + hash + "\nbob:" + hash + "\nx\nbob:" + hash + "\n:y\n") ==
        "2: the user is on line 1 already\n3: no colon behind the user\n4: the user is on line 1 already\n"
        "5: the user is empty");
}

TEST_CASE("a file of nothing but problems tells the first twenty") {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "x\n";
  const auto file = PasswdFile::parse(text);
  REQUIRE_FALSE(file);
  CHECK(file.error().size() == files::kMaxProblems);
}

TEST_CASE("the decoy has the method and the cost that most users have") {
  const std::string blowfish = kEveryHash[0].hash;
  const auto file = PasswdFile::parse("a:" + blowfish + "\nb:" + kSha256 + "\nc:" + kOther + "\nd:!\n");
  REQUIRE(file);
  CHECK((*file)->decoy().starts_with("$5$rounds=1000$"));
}

TEST_CASE("an empty file has no users, and a decoy nevertheless") {
  const auto file = PasswdFile::parse("");
  REQUIRE(file);
  CHECK((*file)->size() == 0);
  CHECK(verify(Secret("secret"), (*file)->decoy()) == Verdict::Wrong);
}

TEST_CASE("a file that cannot be read says why") {
  const auto missing = PasswdFile::load("/nonexistent/passwd");
  REQUIRE_FALSE(missing);
  CHECK(missing.error()[0].line == 0);
  CHECK(missing.error()[0].text == "cannot be read: No such file or directory");
  const auto folder = PasswdFile::load("/");
  REQUIRE_FALSE(folder);
  CHECK(folder.error()[0].text == "cannot be read: Is a directory");
}

TEST_CASE("a hundred thousand users are read from a file and all found") {
  const TemporaryDirectory folder;
  std::ostringstream lines;
  for (int i = 0; i < 100'000; ++i) lines << "user" << i << "@example.org:" << kSha256 << ":store\n";
  const auto file = PasswdFile::load(folder.write("passwd", lines.view()));
  REQUIRE(file);
  CHECK((*file)->size() == 100'000);
  for (int i = 0; i < 100'000; i += 7) REQUIRE((*file)->find("user" + std::to_string(i) + "@example.org"));
  CHECK_FALSE((*file)->find("user100000@example.org"));
}

}  // namespace postern::auth
