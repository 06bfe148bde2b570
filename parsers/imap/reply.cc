#include "parsers/imap/reply.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace postern {
namespace {

constexpr std::array<std::string_view, 3> kTaggedStatuses = {"OK", "NO", "BAD"};
constexpr std::array<std::string_view, 5> kUntaggedStatuses = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
constexpr std::string_view kUntagged = "* ";

bool is_one_of(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::any_of(words, [word](std::string_view w) { return equals_ignoring_case(w, word); });
}

// A status ends in text for people, which may look like the announcement of a literal.
bool may_hold_literal(std::string_view line) {
  if (!line.starts_with(kUntagged)) return false;
  line.remove_prefix(kUntagged.size());
  return !is_one_of(kUntaggedStatuses, take_word(line));
}

std::optional<ImapReply> parse(std::string_view line) {
  ImapReply reply;
  if (line == "+" || line.starts_with("+ ")) {
    reply.kind = ImapReply::Kind::Continue;
    reply.text = line.substr(std::min<std::size_t>(line.size(), 2));
    return reply;
  }
  const std::string_view tag = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(tag.size() + 1, line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  if (tag != "*") {
    if (!is_imap_tag(tag) || !is_one_of(kTaggedStatuses, word)) return std::nullopt;
    reply.kind = ImapReply::Kind::Tagged;
    reply.tag = tag;
  }
  if (!is_atom(word)) return std::nullopt;
  reply.word = word;
  reply.text = line;
  return reply;
}

}  // namespace

std::variant<ImapReplyReader::NeedMore, ImapReplyReader::Invalid, ImapReply> ImapReplyReader::read(
    LineBuffer& buffer) {
  for (;;) {
    if (in_literal_) {
      if (!buffer.has(literal_)) return NeedMore{};
      held_ += buffer.take(literal_);
      in_literal_ = false;
    }
    const auto got = buffer.next_line(kReplyMax - held_.size());
    if (std::holds_alternative<LineBuffer::NeedMore>(got)) return NeedMore{};
    if (std::holds_alternative<LineBuffer::TooLong>(got)) return Invalid{};
    const auto& line = std::get<LineBuffer::Line>(got);
    if (line.stray_cr || line.text.find('\0') != std::string_view::npos) return Invalid{};

    held_ += without_controls(line.text);
    const auto mark = literal_mark_at_end(line.text);
    if (mark && mark->synchronising && may_hold_literal(held_)) {
      held_ += "\r\n";
      if (held_.size() > kReplyMax || mark->size > kReplyMax - held_.size()) return Invalid{};
      literal_ = static_cast<std::size_t>(mark->size);
      in_literal_ = true;
      continue;
    }
    auto reply = parse(std::exchange(held_, {}));
    if (!reply) return Invalid{};
    return std::move(*reply);
  }
}

ResponseText split_code(std::string_view text) {
  const std::size_t end = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (end == std::string_view::npos) return {.code = {}, .text = std::string(text)};
  const std::string_view code = text.substr(1, end - 1);
  const bool is_code = is_atom(code.substr(0, code.find(' '))) && code.find('[') == std::string_view::npos;
  if (!is_code) return {.code = {}, .text = std::string(text)};
  std::string_view rest = text.substr(end + 1);
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  return {.code = std::string(code), .text = std::string(rest)};
}

}  // namespace postern
