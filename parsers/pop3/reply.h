#pragma once

#include <optional>
#include <string>
#include <string_view>

// The status line of POP3 (RFC 1939 §3) and its response code (RFC 2449 §8).

namespace postern::pop3 {

// A status line, its end included, is never longer than this (RFC 1939 §3).
inline constexpr std::size_t kReplyMax = 512;

struct Reply {
  bool ok = false;
  std::string_view code;  // "SYS/TEMP", printable ASCII without brackets; empty: none
  std::string_view text;  // behind the status; an error's text is what stands behind the code
};

// Reads a status line without its end; the views are into `line`. nullopt: neither +OK nor -ERR, in capitals
// and alone or before a space; or a NUL in it.
std::optional<Reply> parse_reply(std::string_view line);

// The text without its control characters.
std::string printable(std::string_view text);

// "+OK text" and "-ERR [code] text" with CRLF, control characters left out, cut at kReplyMax.
std::string write_ok(std::string_view text);
std::string write_error(std::string_view code, std::string_view text);

}  // namespace postern::pop3
