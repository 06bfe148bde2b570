#include "parsers/base64.h"

#include <doctest/doctest.h>
#include <string>

using postern::decode_base64;
using postern::encode_base64;

namespace {

struct Row {
  std::string bytes;
  std::string text;
};

// RFC 4648 §10, and the two last digits of the alphabet.
const Row rows[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {std::string("\0\0\0", 3), "AAAA"},
    {std::string("\0", 1), "AA=="},
    {"\xff\xff\xff", "////"},
    {"\xfb\xef\xbe", "++++"},
    {std::string("\0alice\0secret", 13), "AGFsaWNlAHNlY3JldA=="},
};

const std::string malformed[] = {
    "A",
    "AA",
    "AAA",
    "AAAAA",
    "=",
    "==",
    "===",
    "====",
    "A===",
    "=AAA",
    "A=AA",
    "AA=A",
    "AAA=BBB=",
    "AAA=AAAA",
    "AA==AAAA",
    " AAAA",
    "AAAA ",
    "AA AA",
    "AAAA\r\n",
    "AA\nA",
    "AA-A",
    "AA_A",
    "AA.A",
    "AA\xc3\xa4",
    "AA==\r\n\r\n",
    "*",
    "Zh==",
    "Zm9=",
    "Zv==",
    std::string("AA\0A", 4),
    std::string("\0\0\0\0", 4),
};

}  // namespace

TEST_CASE("base64 goes both ways") {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(encode_base64(row.bytes).reveal() == row.text);
    const auto decoded = decode_base64(row.text);
    REQUIRE(decoded.has_value());
    CHECK(decoded->reveal() == row.bytes);
  }
}

TEST_CASE("anything that is not exactly base64 is refused") {
  for (const std::string& text : malformed) {
    CAPTURE(text);
    CHECK_FALSE(decode_base64(text).has_value());
  }
}

TEST_CASE("every text of four characters has one meaning or none") {
  // All second digits of "x?==" and third digits of "xx?=": only those with zero bits at the end are
  // accepted.
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    CHECK(decode_base64(std::string("Q") + alphabet[i] + "==").has_value() == (i % 16 == 0));
    CHECK(decode_base64(std::string("QQ") + alphabet[i] + "=").has_value() == (i % 4 == 0));
  }
}

TEST_CASE("every length and octet survives") {
  std::string bytes;
  for (int i = 0; i < 520; ++i) {
    const auto decoded = decode_base64(encode_base64(bytes).reveal());
    REQUIRE(decoded.has_value());
    CHECK(decoded->reveal() == bytes);
    bytes += static_cast<char>(i * 7);
  }
}
