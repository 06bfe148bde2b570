#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::bench {

// Cuts the bytes that arrive into lines. Nothing is bounded: both sides are ours.
class LineCutter {
 public:
  // A literal or a message of this size comes next, which nobody reads.
  void skip(std::size_t size) { to_skip_ = size; }

  // The next line with its end, taken from the front of `bytes`; nothing once they are used up.
  std::optional<std::string> next(std::string_view& bytes) {
    const std::size_t skipped = std::min(to_skip_, bytes.size());
    to_skip_ -= skipped;
    bytes.remove_prefix(skipped);
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      partial_.append(std::exchange(bytes, {}));
      return std::nullopt;
    }
    partial_.append(bytes.substr(0, end + 1));
    bytes.remove_prefix(end + 1);
    return std::exchange(partial_, {});
  }

 private:
  std::string partial_;
  std::size_t to_skip_ = 0;
};

}  // namespace postern::bench
