#pragma once

#include <cstdint>
#include <string_view>

namespace postern {

// Watches what a store sends in a spliced IMAP session, and knows whether it stands between two response
// lines: only there may "* BYE" be put in without breaking a line or a literal (RFC 9051 §2.2.2, §4.3).
//
// It costs a search per line and nothing per octet of a literal. Braces at the end of human text ("* OK see
// {5}") are no literal, as the text of a status response is free (RFC 9051 §7.1).
//
// What is not IMAP text, such as a compressed stream (RFC 4978), a line above kLineMax, a lone CR or LF, a
// NUL or another control character than TAB and ESC, makes it opaque for ever: then there is no boundary.
class ImapBoundary {
 public:
  static constexpr std::uint32_t kLineMax = 64 * 1024;  // its literals not counted

  void feed(std::string_view bytes);

  // True before the first octet and behind every whole line.
  bool at_boundary() const { return head_ == Head::Start; }
  bool opaque() const { return head_ == Head::Opaque; }

 private:
  // Where in the line: in its first words, which tell what kind of line it is, or behind them.
  enum class Head : std::uint8_t {
    Start,
    First,   // the tag, "*", or what else comes first
    Second,  // the word behind it
    Status,  // behind a status word; a response code may follow
    Code,    // inside [...]
    Text,    // free text up to the end of the line
    Data,    // anything else
    Opaque,
  };
  // What the octets before this point are of "{123}" CR, which announces a literal before its LF.
  enum class Tail : std::uint8_t { Other, Open, Digits, Plus, Closed, Cr, CrOfLiteral };

  void line(std::string_view part);
  void read_head(std::string_view part);
  void read_tail(std::string_view part);
  void step_tail(char c);
  void end_line();

  std::uint64_t number_ = 0;    // in a literal: octets left; before: its size as far as read
  std::uint32_t length_ = 0;    // of the line so far
  std::uint8_t digits_ = 0;     // of number_
  std::uint8_t word_size_ = 0;  // octets of the second word, at most one more than fit
  char word_[8] = {};           // the second word
  Head head_ = Head::Start;
  Tail tail_ = Tail::Other;
  bool in_literal_ = false;
};
static_assert(sizeof(ImapBoundary) <= 32);

}  // namespace postern
