#include "parsers/boundary.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace postern {
namespace {

constexpr std::uint8_t kDigitsMax = 19;                       // a number64 (RFC 9051 §9)
constexpr std::size_t kTailMax = 1 + kDigitsMax + 1 + 1 + 1;  // "{", digits, "+", "}", CR
constexpr std::array<std::string_view, 5> kStatusWords = {"OK", "NO", "BAD", "BYE", "PREAUTH"};

constexpr bool is_garbage(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 0x20 && c != '\t' && c != '\x1b';
}

// Eight octets at a time; only a word with something below a space in it is looked at closely.
bool holds_garbage(std::string_view text) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255;
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, text.data(), sizeof word);
    const bool below_space = ((word - ones * 0x20) & ~word & (ones * 0x80)) != 0;
    if (below_space && std::ranges::any_of(text.substr(0, sizeof word), is_garbage)) return true;
    text.remove_prefix(sizeof word);
  }
  return std::ranges::any_of(text, is_garbage);
}

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_status_word(std::string_view word) {
  return std::ranges::any_of(
      kStatusWords, [word](std::string_view status) { return std::ranges::equal(word, status, {}, upper); });
}

}  // namespace

void ImapBoundary::feed(std::string_view bytes) {
  while (!bytes.empty() && !opaque()) {
    if (in_literal_) {
      const auto taken = std::min<std::uint64_t>(number_, bytes.size());
      number_ -= taken;
      bytes.remove_prefix(static_cast<std::size_t>(taken));
      in_literal_ = number_ > 0;
      continue;
    }
    const auto end = bytes.find('\n');
    line(bytes.substr(0, end));
    if (end == bytes.npos) return;
    if (!opaque()) end_line();
    bytes.remove_prefix(end + 1);
  }
}

// Part of a line, without its LF.
void ImapBoundary::line(std::string_view part) {
  if (part.empty()) return;
  length_ += static_cast<std::uint32_t>(std::min<std::size_t>(part.size(), kLineMax + 1));
  const bool cr_before = tail_ == Tail::Cr || tail_ == Tail::CrOfLiteral;  // then an LF was due
  const auto text = part.ends_with('\r') ? part.substr(0, part.size() - 1) : part;
  if (length_ > kLineMax || cr_before || holds_garbage(text)) {
    head_ = Head::Opaque;
    return;
  }
  read_head(part);
  read_tail(part);
}

// Reads the words that tell what kind of line it is, and stops there.
void ImapBoundary::read_head(std::string_view part) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    switch (head_) {
      case Head::Start:
        head_ = c == '+' ? Head::Text : Head::First;
        break;
      case Head::First:
        if (c != ' ') break;
        head_ = Head::Second;
        word_size_ = 0;
        break;
      case Head::Second:
        if (c == ' ') {
          head_ = is_status_word({word_, word_size_}) ? Head::Status : Head::Data;
        } else if (c >= 'A' && word_size_ < sizeof word_) {  // a digit, as in "* 1 FETCH", decides at once
          word_[word_size_++] = c;
        } else {
          head_ = Head::Data;
        }
        break;
      case Head::Status:
        head_ = c == '[' ? Head::Code : Head::Text;
        break;
      case Head::Code:
        i = part.find(']', i);
        if (i == part.npos) return;
        head_ = Head::Text;
        break;
      case Head::Text:
      case Head::Data:
      case Head::Opaque:
        return;
    }
  }
}

void ImapBoundary::read_tail(std::string_view part) {
  if (part.size() > 1 && part.ends_with('\r') && part[part.size() - 2] != '}') {
    tail_ = Tail::Cr;
    return;
  }
  // What stands before can't matter: nothing that announces a literal is longer.
  if (part.size() > kTailMax) part.remove_prefix(part.size() - kTailMax);
  for (const char c : part) step_tail(c);
}

void ImapBoundary::step_tail(char c) {
  const bool digit = c >= '0' && c <= '9';
  if (c == '\r') {
    tail_ = tail_ == Tail::Closed ? Tail::CrOfLiteral : Tail::Cr;
  } else if (c == '{') {
    tail_ = Tail::Open;
    number_ = 0;
    digits_ = 0;
  } else if (digit && (tail_ == Tail::Open || tail_ == Tail::Digits) && digits_ < kDigitsMax) {
    tail_ = Tail::Digits;
    number_ = number_ * 10 + static_cast<unsigned>(c - '0');
    ++digits_;
  } else if (c == '+' && tail_ == Tail::Digits) {
    tail_ = Tail::Plus;
  } else if (c == '}' && (tail_ == Tail::Digits || tail_ == Tail::Plus)) {
    tail_ = Tail::Closed;
  } else {
    tail_ = Tail::Other;
  }
}

void ImapBoundary::end_line() {
  const bool free_text = head_ == Head::Text || head_ == Head::Status;
  if (tail_ == Tail::CrOfLiteral && !free_text) {
    in_literal_ = number_ > 0;
    if (head_ != Head::Code) head_ = Head::Data;  // the line goes on behind the literal
  } else if (tail_ == Tail::Cr || tail_ == Tail::CrOfLiteral) {
    head_ = Head::Start;
    length_ = 0;
  } else {
    head_ = Head::Opaque;
  }
  tail_ = Tail::Other;
}

}  // namespace postern
