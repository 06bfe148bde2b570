#include "parsers/pop3/reply.h"

#include <algorithm>

namespace postern::pop3 {
namespace {

constexpr std::string_view kEnd = "\r\n";

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// RFC 2449 §8, but for spaces, which some codes hold, and without '['.
bool is_code(std::string_view code) {
  return std::ranges::all_of(code, [](char c) { return c >= 0x20 && c < 0x7f && c != '['; });
}

// What stands behind `status`, or nullopt when the line does not begin with that word.
std::optional<std::string_view> behind(std::string_view line, std::string_view status) {
  if (!line.starts_with(status)) return std::nullopt;
  line.remove_prefix(status.size());
  if (line.empty()) return line;
  if (line.front() != ' ') return std::nullopt;
  return line.substr(1);
}

std::string write(std::string reply) {
  reply.resize(std::min(reply.size(), kReplyMax - kEnd.size()));
  reply += kEnd;
  return reply;
}

}  // namespace

std::optional<Reply> parse_reply(std::string_view line) {
  if (line.find('\0') != line.npos) return std::nullopt;
  if (auto text = behind(line, "+OK")) return Reply{.ok = true, .code = {}, .text = *text};
  auto text = behind(line, "-ERR");
  if (!text) return std::nullopt;
  Reply reply{.ok = false, .code = {}, .text = *text};
  if (const auto end = text->find(']');
      text->starts_with('[') && end != text->npos && is_code(text->substr(1, end - 1))) {
    reply.code = text->substr(1, end - 1);
    reply.text = text->substr(end + 1);
    if (reply.text.starts_with(' ')) reply.text.remove_prefix(1);
  }
  return reply;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  std::ranges::remove_copy_if(text, std::back_inserter(result), is_control);
  return result;
}

std::string write_ok(std::string_view text) {
  std::string reply = "+OK";
  if (!text.empty()) (reply += ' ') += printable(text);
  return write(std::move(reply));
}

std::string write_error(std::string_view code, std::string_view text) {
  std::string reply = "-ERR";
  if (!code.empty()) ((reply += " [") += printable(code)) += ']';
  if (!text.empty()) (reply += ' ') += printable(text);
  return write(std::move(reply));
}

}  // namespace postern::pop3
