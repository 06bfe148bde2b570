#include "proxy/files/user_lines.h"

#include <tuple>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace postern::files {

std::uint64_t digest_of(std::string_view user) { return XXH3_64bits(user.data(), user.size()); }

bool UserLines::next(std::string_view& line) {
  if (at_ == 0) {
    if (too_long()) {
      wrong("the file has more than 4 GiB", 0);
      return false;
    }
    if (text_.starts_with("\xEF\xBB\xBF")) wrong("the file starts with a byte order mark", 1);
  }
  if (at_ >= text_.size() || full()) return false;
  if (stop_.stop_requested()) {
    problems_ = {{0, "the load was broken off"}};
    return false;
  }
  const std::size_t end = std::min(text_.find('\n', at_), text_.size());
  line = text_.substr(at_, end - at_);
  at_ = end + 1;
  ++line_;
  return true;
}

bool UserLines::clean(std::string_view line, bool tabs) {
  for (const char octet : line) {
    if (octet == '\r') return wrong("a carriage return: lines end with a line feed alone"), false;
    const bool control = static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f;
    if (control && !(tabs && octet == '\t')) return wrong("a control character"), false;
  }
  return true;
}

Problems UserLines::problems() && {
  std::ranges::sort(problems_, {},
                    [](const Problem& problem) { return std::tie(problem.line, problem.text); });
  return std::move(problems_);
}

}  // namespace postern::files
