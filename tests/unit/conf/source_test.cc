#include "conf/source.h"

#include <doctest/doctest.h>

#include "tests/unit/conf/base.h"

namespace postern::conf {
namespace {

constexpr std::string_view kText =
    "[tls]\n"
    "certificates = [\n"
    "  { chain = \"a.crt\", key = \"a.key\" },\n"
    "  { chain = \"b.crt\", key = \"b.key\" },\n"
    "]\n"
    "[listen.\"a.b\"]\n"
    "protocol = \"imap\"\n"
    "address = [\"127.0.0.1:993\", \"[::1]:993\"]\n";

std::string place(const std::string& path) {
  const auto loaded = load(completed(kText), "postern.toml", bare_environment());
  REQUIRE(loaded);
  const Diagnostic problem = loaded->source.at(path, "m");
  return std::to_string(problem.line) + ":" + std::to_string(problem.column);
}

TEST_CASE("a problem that is found after loading has the place of its value") {
  CHECK(place("tls.certificates[0].key") == "3:28");
  CHECK(place("tls.certificates[1].chain") == "4:13");
  CHECK(place("tls.certificates[1]") == "4:3");
  CHECK(place("listen.\"a.b\".address[1]") == "8:29");
  CHECK(place("listen.\"a.b\".address") == "8:11");
  CHECK(place("pool.store.backends.s1") == "12:6");
}

TEST_CASE("what is not written has the place of the table around it") {
  CHECK(place("tls.minimum") == "1:1");
  CHECK(place("tls.certificates[7]") == "2:16");
  CHECK(place("listen.\"a.b\".tls") == "6:1");
  CHECK(place("pool.store.health.eject.max") == "11:1");
}

TEST_CASE("what has no table either belongs to the whole file") {
  CHECK(place("admin.http") == "0:0");
  CHECK(place("") == "0:0");
  CHECK(place("\"") == "0:0");
  CHECK(place("\"\"") == "0:0");
}

TEST_CASE("the problem has the file's name, line and caret") {
  const auto loaded = load(completed(kText), "conf/x.toml", bare_environment());
  REQUIRE(loaded);
  CHECK(loaded->source.at("tls.certificates[1].key", "the key does not match the certificate").to_string() ==
        "conf/x.toml:4:28: the key does not match the certificate\n"
        "      { chain = \"b.crt\", key = \"b.key\" },\n"
        "                               ^\n");
}

TEST_CASE("a path quotes the names that TOML quotes") {
  CHECK(join("", "server") == "server");
  CHECK(join("listen", "imaps-2_x") == "listen.imaps-2_x");
  CHECK(join("listen", "a.b") == "listen.\"a.b\"");
  CHECK(join("listen", "") == "listen.\"\"");
  CHECK(join("listen", "a\"b") == "listen.\"a'b\"");
}

TEST_CASE("lines end with LF or CRLF, and a byte order mark is no part of the first") {
  const Source source("f",
                      "\xef\xbb\xbf"
                      "a\r\nb\n\nc");
  CHECK(source.at(Position{1, 1}, "m").source == "a");
  CHECK(source.at(Position{2, 1}, "m").source == "b");
  CHECK(source.at(Position{3, 1}, "m").source == "");
  CHECK(source.at(Position{4, 1}, "m").source == "c");
  CHECK(source.at(Position{5, 1}, "m").source == "");
}

}  // namespace
}  // namespace postern::conf
