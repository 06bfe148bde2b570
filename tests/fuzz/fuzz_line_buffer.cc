#include <algorithm>
#include <cstdint>
#include <string>

#include "parsers/line_buffer.h"
#include "tests/fuzz/require.h"

namespace {

using postern::LineBuffer;
using postern::fuzz::require;

// LineBuffer as its header describes it, without memory of what was searched.
struct Model {
  std::string bytes;

  void check_next_line(LineBuffer& buffer, std::size_t limit) {
    const auto got = buffer.next_line(limit);
    const std::size_t end = bytes.find('\n');
    std::string_view text = std::string_view(bytes).substr(0, end);
    const bool cr = text.ends_with('\r');
    if (cr) text.remove_suffix(1);
    if (text.size() > limit) return require(std::holds_alternative<LineBuffer::TooLong>(got), "too long");
    if (end == std::string::npos) return require(std::holds_alternative<LineBuffer::NeedMore>(got), "more");
    require(std::holds_alternative<LineBuffer::Line>(got), "a line");
    const auto& line = std::get<LineBuffer::Line>(got);
    require(line.text == text && line.bare_lf == !cr && line.stray_cr == text.contains('\r'), "the line");
    bytes.erase(0, end + 1);
  }
};

}  // namespace

// Octets in pairs: an operation and its size; what is appended comes from the input itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  LineBuffer buffer;
  Model model;
  for (std::size_t at = 0; at + 2 <= size;) {
    const std::uint8_t operation = data[at] % 4;
    const std::size_t amount = data[at + 1];
    at += 2;
    if (operation == 0 || operation == 3) {
      const std::string_view piece(reinterpret_cast<const char*>(data) + at, std::min(amount, size - at));
      buffer.append(piece);
      model.bytes += piece;
      at += piece.size();
    } else if (operation == 1) {
      model.check_next_line(buffer, amount);
    } else {
      const std::size_t wanted = amount % 16;
      const bool there = model.bytes.size() >= wanted;
      require(buffer.has(wanted) == there, "has()");
      require(buffer.take(wanted) == std::string_view(model.bytes).substr(0, there ? wanted : 0), "take()");
      if (there) model.bytes.erase(0, wanted);
    }
    require(buffer.size() == model.bytes.size() && buffer.empty() == model.bytes.empty(), "size()");
  }
  require(buffer.take_rest() == model.bytes && buffer.empty(), "take_rest()");
  return 0;
}
