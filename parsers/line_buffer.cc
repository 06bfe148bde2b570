#include "parsers/line_buffer.h"

#include <algorithm>

namespace postern {

void LineBuffer::append(std::string_view bytes) {
  wipe_consumed();
  // Moving what is left to the front costs as much as what was consumed has paid for.
  if (start_ > 0 && start_ >= size()) {
    bytes_.drop_front(start_);
    searched_ = searched_ > start_ ? searched_ - start_ : 0;
    wiped_ = start_ = 0;
  }
  bytes_.append(bytes);
}

std::variant<LineBuffer::NeedMore, LineBuffer::TooLong, LineBuffer::Line> LineBuffer::next_line(
    std::size_t limit) {
  wipe_consumed();
  const std::string_view all = bytes_.reveal();
  const std::size_t end = all.find('\n', std::max(searched_, start_));
  if (end == std::string_view::npos) {
    searched_ = all.size();
    // A CR at the end may turn out to belong to the line's end.
    const bool half_end = all.size() > start_ && all.back() == '\r';
    if (size() - (half_end ? 1 : 0) > limit) return TooLong{};
    return NeedMore{};
  }
  Line line{.text = all.substr(start_, end - start_)};
  if (line.text.ends_with('\r')) {
    line.text.remove_suffix(1);
  } else {
    line.bare_lf = true;
  }
  if (line.text.size() > limit) return TooLong{};
  line.stray_cr = line.text.find('\r') != std::string_view::npos;
  start_ = searched_ = end + 1;
  return line;
}

std::string_view LineBuffer::take(std::size_t size) {
  wipe_consumed();
  if (!has(size)) return {};
  const std::string_view taken = bytes_.reveal().substr(start_, size);
  start_ += size;
  return taken;
}

std::string LineBuffer::take_rest() {
  std::string rest(bytes_.reveal().substr(start_));
  clear();
  return rest;
}

void LineBuffer::clear() {
  bytes_.clear();
  wiped_ = start_ = searched_ = 0;
}

void LineBuffer::wipe_consumed() {
  if (empty()) return clear();
  bytes_.wipe_range(wiped_, start_);
  wiped_ = start_;
}

}  // namespace postern
