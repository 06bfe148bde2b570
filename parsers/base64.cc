#include "parsers/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace postern {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNotInAlphabet = 64;

constexpr auto kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotInAlphabet);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

std::optional<Secret> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;

  Secret bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const bool last = at + 4 == text.size();
    const std::size_t digits = last ? 4 - padding : 4;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint8_t value = i < digits ? kValues[static_cast<unsigned char>(text[at + i])] : 0;
      if (value == kNotInAlphabet) return std::nullopt;
      group = group << 6 | value;
    }
    char octets[3] = {static_cast<char>(group >> 16), static_cast<char>(group >> 8),
                      static_cast<char>(group)};
    const std::size_t count = digits - 1;
    for (std::size_t i = count; i < 3; ++i) {
      if (octets[i] != 0) return std::nullopt;  // unused bits
    }
    bytes.append({octets, count});
    wipe(octets, sizeof octets);
  }
  return bytes;
}

Secret encode_base64(std::string_view bytes) {
  Secret text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    char digits[4];
    for (std::size_t i = 0; i < 4; ++i) {
      digits[i] = i <= count ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
    }
    text.append({digits, sizeof digits});
    wipe(digits, sizeof digits);
  }
  return text;
}

}  // namespace postern
