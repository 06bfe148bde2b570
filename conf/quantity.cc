#include "conf/quantity.h"

#include <charconv>
#include <limits>
#include <span>

namespace postern::conf {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// The largest first, as the printer wants them.
constexpr Unit kDurations[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};
constexpr Unit kSizes[] = {{"GiB", 1U << 30}, {"MiB", 1U << 20}, {"KiB", 1U << 10}, {"B", 1}};

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (number > kMax / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string print(std::uint64_t number, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (number % unit.factor == 0 && number != 0) {
      return std::to_string(number / unit.factor).append(unit.name);
    }
  }
  return "0";
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::optional<std::uint64_t> number = parse(text, kDurations);
  if (!number) return std::nullopt;
  return std::chrono::milliseconds(*number);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const std::optional<std::uint64_t> bytes = parse_number(text);
  return bytes ? bytes : parse(text, kSizes);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  static constexpr Unit kNone[] = {{"", 1}};
  return parse(text, kNone);
}

std::string print_duration(std::chrono::milliseconds duration) {
  if (duration.count() <= 0) return "0s";
  return print(static_cast<std::uint64_t>(duration.count()), kDurations);
}

std::string print_size(std::uint64_t bytes) { return bytes == 0 ? "0B" : print(bytes, kSizes); }

}  // namespace postern::conf
