#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "parsers/imap/text.h"
#include "parsers/line_buffer.h"

// What a server says (RFC 9051 §7), read as a client.

namespace postern {

struct ImapReply {
  enum class Kind : std::uint8_t {
    Continue,  // "+"
    Untagged,  // "*"
    Tagged,
  };

  Kind kind = Kind::Untagged;
  std::string tag;   // of a tagged reply
  std::string word;  // the status or the kind of data as it was written; empty for Continue
  std::string text;  // behind it, or behind "+ "; literals stand in it as they came

  bool is(std::string_view expected) const { return equals_ignoring_case(word, expected); }
};

// Reads replies, literals in untagged data included. Control characters outside of literals are left out.
class ImapReplyReader {
 public:
  struct NeedMore {};
  // Not a reply of an IMAP server, or one of more than kReplyMax bytes.
  struct Invalid {};

  static constexpr std::size_t kReplyMax = std::size_t{64} * 1024;

  std::variant<NeedMore, Invalid, ImapReply> read(LineBuffer& buffer);

 private:
  std::string
      held_;  // of the unfinished reply: it ends with a literal's announcement and CRLF, or the literal
  std::size_t literal_ = 0;
  bool in_literal_ = false;
};

// A response code (RFC 9051 §7.1) and the text behind it. What stands in brackets and has not the form of a
// code is text.
struct ResponseText {
  std::string code;  // "UNAVAILABLE", "REFERRAL imap://..."; empty: none
  std::string text;
};
ResponseText split_code(std::string_view text);

}  // namespace postern
