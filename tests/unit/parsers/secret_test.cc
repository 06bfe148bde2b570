#include "parsers/secret.h"

#include <doctest/doctest.h>
#include <string>
#include <type_traits>
#include <utility>

using postern::Secret;

namespace {

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(std::is_nothrow_move_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

const std::string zeros(64, '\0');

}  // namespace

TEST_CASE("a secret grows by appending and gives its bytes back") {
  Secret secret;
  CHECK(secret.empty());
  CHECK(secret.reveal() == "");
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
    secret.append(piece);
    expected += piece;
    REQUIRE(secret.reveal() == expected);
    REQUIRE(secret.size() == expected.size());
  }
}

TEST_CASE("a secret can be appended to itself, whether it must grow or not") {
  Secret secret("abc");
  for (int i = 0; i < 6; ++i) secret.append(secret.reveal());
  CHECK(secret.size() == 3 * 64);
  Secret roomy;
  roomy.reserve(100);
  roomy.append("xyz");
  roomy.append(roomy.reveal().substr(1));
  CHECK(roomy.reveal() == "xyzyz");
}

TEST_CASE("a moved-from secret is empty and can be used again") {
  Secret first("hunter2");
  Secret second(std::move(first));
  CHECK(second.reveal() == "hunter2");
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move)
  first.append("new");
  CHECK(first.reveal() == "new");
  second = std::move(first);
  CHECK(second.reveal() == "new");
  Secret& same = second;
  second = std::move(same);
  CHECK(second.reveal() == "new");
}

TEST_CASE("a clone is a second secret") {
  const Secret first("hunter2");
  Secret second = first.clone();
  second.append("!");
  CHECK(first.reveal() == "hunter2");
  CHECK(second.reveal() == "hunter2!");
}

TEST_CASE("equality looks at every byte and at the size") {
  CHECK(Secret() == Secret());
  CHECK(Secret("abc") == Secret("abc"));
  CHECK(Secret("abc") != Secret("abd"));
  CHECK(Secret("abc") != Secret("xbc"));
  CHECK(Secret("abc") != Secret("ab"));
  CHECK(Secret("ab") != Secret("abc"));
  CHECK(Secret("") != Secret("a"));
  CHECK(Secret(std::string_view("a\0b", 3)) != Secret(std::string_view("a\0c", 3)));
  CHECK(Secret("\xff") != Secret("\x7f"));
}

TEST_CASE("dropping the front keeps the rest and wipes what it leaves behind") {
  Secret secret("hunter2 rest");
  const char* memory = secret.reveal().data();
  secret.drop_front(8);
  CHECK(secret.reveal() == "rest");
  CHECK(std::string_view(memory + 4, 8) == zeros.substr(0, 8));
  secret.drop_front(100);
  CHECK(secret.empty());
  CHECK(std::string_view(memory, 12) == zeros.substr(0, 12));
}

TEST_CASE("wiping a range overwrites it and nothing else") {
  Secret secret("abcdef");
  secret.wipe_range(1, 3);
  CHECK(secret.reveal() == std::string_view("a\0\0def", 6));
  secret.wipe_range(5, 100);
  CHECK(secret.reveal() == std::string_view("a\0\0de\0", 6));
  secret.wipe_range(4, 2);
  CHECK(secret.reveal() == std::string_view("a\0\0de\0", 6));
}

TEST_CASE("clearing releases everything") {
  Secret secret("hunter2");
  secret.clear();
  CHECK(secret.empty());
  secret.clear();
  secret.append("x");
  CHECK(secret.reveal() == "x");
}

TEST_CASE("wipe overwrites memory") {
  char memory[] = "hunter2";
  postern::wipe(memory, sizeof memory);
  CHECK(std::string_view(memory, sizeof memory) == zeros.substr(0, sizeof memory));
}
