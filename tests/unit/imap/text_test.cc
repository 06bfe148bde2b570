#include "parsers/imap/text.h"

#include <doctest/doctest.h>
#include <limits>
#include <string>

namespace postern {
namespace {

using std::string_view_literals::operator""sv;

std::string quoted(std::string_view text) {
  std::string result;
  append_quoted(result, text);
  return result;
}

}  // namespace

TEST_CASE("an atom holds exactly the octets that RFC 9051 gives it") {
  const std::string_view specials = "(){ %*\"\\]";
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const bool expected = octet > 0x20 && octet < 0x7f && specials.find(c) == std::string_view::npos;
    CAPTURE(octet);
    CHECK(is_atom(std::string_view(&c, 1)) == expected);
    CHECK((astring_prefix(std::string_view(&c, 1)) == 1) == (expected || c == ']'));
    CHECK(is_imap_tag(std::string_view(&c, 1)) == ((expected || c == ']') && c != '+'));
  }
  CHECK_FALSE(is_atom(""));
  CHECK_FALSE(is_imap_tag(""));
}

TEST_CASE("a tag is at most kImapTagMax octets long") {
  CHECK(is_imap_tag(std::string(kImapTagMax, 'a')));
  CHECK_FALSE(is_imap_tag(std::string(kImapTagMax + 1, 'a')));
}

TEST_CASE("the prefix of an astring ends before what it can't hold") {
  CHECK(astring_prefix("abc]d e") == 5);
  CHECK(astring_prefix("abc") == 3);
  CHECK(astring_prefix("ab\xe4"sv) == 2);
  CHECK(astring_prefix("ab\0c"sv) == 2);
  CHECK(astring_prefix("") == 0);
}

TEST_CASE("only ASCII letters have another case") {
  CHECK(to_upper("aZ1-\xe4{"sv) == "AZ1-\xe4{"sv);
  CHECK(equals_ignoring_case("LoGin", "lOgIN"));
  CHECK_FALSE(equals_ignoring_case("LOGIN", "LOGI"));
  CHECK_FALSE(equals_ignoring_case("[", "{"));
  CHECK_FALSE(equals_ignoring_case("\xe4"sv, "\xc4"sv));
  CHECK(starts_with_ignoring_case("auth=plain", "AUTH="));
  CHECK_FALSE(starts_with_ignoring_case("AUT", "AUTH="));
}

TEST_CASE("words are taken off one by one, whatever the spaces") {
  std::string_view rest = "  IMAP4rev1   IDLE ";
  CHECK(take_word(rest) == "IMAP4rev1");
  CHECK(take_word(rest) == "IDLE");
  CHECK(take_word(rest).empty());
  CHECK(take_word(rest).empty());
}

TEST_CASE("without_controls keeps everything but control characters") {
  CHECK(without_controls("a\0b\rc\nd\te\x1b[f\x7fg \xc3\xa4"sv) == "abcde[fg \xc3\xa4"sv);
}

TEST_CASE("a quoted string escapes quotes and backslashes alone") {
  CHECK(quoted("") == R"("")");
  CHECK(quoted("plain text") == R"("plain text")");
  CHECK(quoted(R"(")") == R"("\"")");
  CHECK(quoted(R"(\)") == R"("\\")");
  CHECK(quoted(R"(a"b\c"")") == R"("a\"b\\c\"\"")");
}

TEST_CASE("eight bits, NUL, CR and LF do not fit into a quoted string") {
  CHECK(fits_quoted(""));
  CHECK(fits_quoted("a \"\\ \t\x01\x7f"));
  for (const auto bad : {"\0"sv, "\r"sv, "\n"sv, "\x80"sv, "\xff"sv, "abc\xc3\xa4"sv})
    CHECK_FALSE(fits_quoted(bad));
}

TEST_CASE("a literal is announced at the end of a line and nowhere else") {
  struct Row {
    std::string_view line;
    std::size_t start;
    std::uint64_t size;
    bool synchronising;
  };
  constexpr std::uint64_t kGreatest = std::numeric_limits<std::uint64_t>::max();
  for (const Row& row :
       {Row{"{0}", 0, 0, true}, Row{"a LOGIN {5}", 8, 5, true}, Row{"{12+}", 0, 12, false},
        Row{"{{3}", 1, 3, true}, Row{"{0000005}", 0, 5, true},
        Row{"{18446744073709551615}", 0, kGreatest, true}, Row{"{18446744073709551616}", 0, kGreatest, true},
        Row{"{18446744073709551621+}", 0, kGreatest, false},
        Row{"{99999999999999999999999999}", 0, kGreatest, true}}) {
    CAPTURE(row.line);
    const auto mark = literal_mark_at_end(row.line);
    REQUIRE(mark);
    CHECK(mark->start == row.start);
    CHECK(mark->size == row.size);
    CHECK(mark->synchronising == row.synchronising);
  }
  for (const std::string_view line : {"", "}", "{", "{}", "{+}", "5}", "{-1}", "{5 }", "{ 5}", "{5+ }",
                                      "{5-}", "{a}", "{5++}", "{5}x", "{5} ", "{0x5}", "{5+5}"}) {
    CAPTURE(line);
    CHECK_FALSE(literal_mark_at_end(line));
  }
}

}  // namespace postern
