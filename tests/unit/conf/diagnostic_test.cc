#include "conf/diagnostic.h"

#include <doctest/doctest.h>

namespace postern::conf {
namespace {

Diagnostic at(unsigned line, unsigned column, std::string source) {
  return {"postern.toml", line, column, "wrong", std::move(source)};
}

TEST_CASE("a problem shows its line and a caret below its column") {
  CHECK(at(3, 1, "abc").to_string() == "postern.toml:3:1: wrong\n    abc\n    ^\n");
  CHECK(at(3, 3, "abc").to_string() == "postern.toml:3:3: wrong\n    abc\n      ^\n");
}

TEST_CASE("the caret may stand behind the line's end") {
  CHECK(at(1, 6, "abc").to_string() == "postern.toml:1:6: wrong\n    abc\n         ^\n");
  CHECK(at(1, 1, "").to_string() == "postern.toml:1:1: wrong\n    \n    ^\n");
}

TEST_CASE("columns count characters, and tabs stay tabs") {
  CHECK(at(1, 3, "\xc3\xa4\xc3\xb6x").to_string() ==
        "postern.toml:1:3: wrong\n    \xc3\xa4\xc3\xb6x\n      ^\n");
  CHECK(at(1, 3, "\ta b").to_string() == "postern.toml:1:3: wrong\n    \ta b\n    \t ^\n");
}

TEST_CASE("what a terminal would obey is not shown") {
  CHECK(at(1, 1, "a\x1b[31m\r\x7f").to_string() == "postern.toml:1:1: wrong\n    a?[31m??\n    ^\n");
}

TEST_CASE("a problem of the whole file has no line") {
  CHECK(at(0, 0, "").to_string() == "postern.toml: wrong\n");
}

TEST_CASE("several problems stand one below the other") {
  CHECK(to_string({at(0, 0, ""), at(1, 1, "a")}) ==
        "postern.toml: wrong\npostern.toml:1:1: wrong\n    a\n    ^\n");
  CHECK(to_string(std::vector<Diagnostic>()).empty());
}

}  // namespace
}  // namespace postern::conf
