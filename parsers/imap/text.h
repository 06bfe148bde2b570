#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Characters, words and strings of IMAP's grammar (RFC 9051 §9, RFC 3501 §9).

namespace postern {

bool is_atom(std::string_view text);  // 1*ATOM-CHAR

// 1*<ASTRING-CHAR except "+">, and at most kImapTagMax bytes: a longer one is not echoed.
bool is_imap_tag(std::string_view text);
inline constexpr std::size_t kImapTagMax = 126;

// How many bytes at the start of `text` are ASTRING-CHARs.
std::size_t astring_prefix(std::string_view text);

std::string to_upper(std::string_view text);  // ASCII letters alone
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

// The next run without spaces, taken off the front of `rest`; empty at its end.
std::string_view take_word(std::string_view& rest);

// `text` without control characters: fit to stand in a response's text.
std::string without_controls(std::string_view text);

// True when a quoted string can hold it towards any server: seven bits, no NUL, CR or LF.
bool fits_quoted(std::string_view text);

// The octets that append_quoted() writes.
std::size_t quoted_size(std::string_view text);

// Appends "text" with its quotes and backslashes escaped. `Sink` has append(std::string_view).
template <typename Sink>
void append_quoted(Sink& sink, std::string_view text) {
  sink.append(std::string_view("\""));
  while (!text.empty()) {
    const std::size_t plain = text.find_first_of("\"\\");
    sink.append(text.substr(0, plain));
    if (plain == std::string_view::npos) break;
    sink.append(std::string_view("\\"));
    sink.append(text.substr(plain, 1));
    text.remove_prefix(plain + 1);
  }
  sink.append(std::string_view("\""));
}

// The announcement of a literal at the end of a line: {n}, or {n+} (RFC 7888) that does not wait.
struct LiteralMark {
  std::size_t start = 0;   // of the "{" in the line
  std::uint64_t size = 0;  // the greatest value when the number is greater than that: it never wraps
  bool synchronising = true;
};
std::optional<LiteralMark> literal_mark_at_end(std::string_view line);

}  // namespace postern
