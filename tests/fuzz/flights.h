#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace postern::fuzz {

// The form of an input for a dialogue: a few octets that choose the setup, one that seeds the cuts, and the
// peer's bytes. kNextFlight stands between what the peer sends before and after it has waited for an answer;
// it occurs in no UTF-8.
inline constexpr char kNextFlight = '\xf5';

inline std::vector<std::string_view> split_flights(std::string_view bytes) {
  std::vector<std::string_view> flights;
  while (true) {
    const std::size_t end = bytes.find(kNextFlight);
    flights.push_back(bytes.substr(0, end));
    if (end == std::string_view::npos) return flights;
    bytes.remove_prefix(end + 1);
  }
}

// Cuts a flight into pieces, the same ones for the same seed. Seed 0: one piece.
class Cutter {
 public:
  explicit Cutter(std::uint8_t seed) : state_(seed) {}

  std::vector<std::string_view> cut(std::string_view flight) {
    if (state_ == 0) return {flight};
    std::vector<std::string_view> pieces;
    while (!flight.empty()) {
      state_ = state_ * 1103515245U + 12345U;
      const std::uint32_t random = state_ >> 16;
      const std::size_t size = random % 4 == 0 ? 1 : random / 4 % 40 + 1;
      pieces.push_back(flight.substr(0, size));
      flight.remove_prefix(std::min(size, flight.size()));
    }
    return pieces;
  }

 private:
  std::uint32_t state_;
};

}  // namespace postern::fuzz
