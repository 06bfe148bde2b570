#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::conf {

// A whole number and one unit of ms, s, m, h: "250ms", "30s", "5m", "1h". nullopt for anything else, and for
// what does not fit: nothing is rounded.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// Bytes: a whole number, alone or with one of B, KiB, MiB, GiB: "4096", "64KiB". nullopt as above.
std::optional<std::uint64_t> parse_size(std::string_view text);

// Digits alone, no sign; nullopt as above.
std::optional<std::uint64_t> parse_number(std::string_view text);

// With the largest unit that divides it: "30s", "31m", "64KiB", "100B".
std::string print_duration(std::chrono::milliseconds duration);
std::string print_size(std::uint64_t bytes);

}  // namespace postern::conf
