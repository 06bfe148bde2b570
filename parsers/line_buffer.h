#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "parsers/secret.h"

namespace postern {

// Bytes that arrived, taken out as lines or counted runs. The limit is on the unfinished unit, never on a
// chunk: one chunk may hold many lines. What has been searched is not searched again. What was consumed is
// wiped by the next non-const call, because it may have held a password.
class LineBuffer {
 public:
  struct NeedMore {};
  struct TooLong {};
  struct Line {
    std::string_view text;  // without its end; valid until the next non-const call
    bool bare_lf = false;   // ended by LF alone
    bool stray_cr = false;  // holds a CR that is not part of its end
  };

  void append(std::string_view bytes);

  // The next line ended by LF, with or without a CR before it. TooLong: more than `limit` bytes (end
  // excluded) arrived without an end, or the line with its end is there and longer; nothing is consumed.
  std::variant<NeedMore, TooLong, Line> next_line(std::size_t limit);

  // The next `size` bytes, when they are all there; nothing is consumed otherwise. Valid until the next
  // non-const call.
  bool has(std::size_t size) const { return this->size() >= size; }
  std::string_view take(std::size_t size);

  // Everything that is left, not consumed. Valid until the next non-const call.
  std::string_view peek() const { return bytes_.reveal().substr(start_); }

  // Everything that is left, consumed.
  std::string take_rest();
  void clear();

  std::size_t size() const { return bytes_.size() - start_; }
  bool empty() const { return size() == 0; }

 private:
  void wipe_consumed();

  Secret bytes_;
  std::size_t wiped_ = 0;     // wiped before here; what the last call gave out may follow
  std::size_t start_ = 0;     // consumed before here
  std::size_t searched_ = 0;  // no LF in [start_, searched_)
};

}  // namespace postern
