#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace postern::fuzz {

// What a target promises; libFuzzer keeps the input that breaks it.
inline void require(bool holds, std::string_view promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

inline void require_same(std::string_view a, std::string_view b, std::string_view promise) {
  if (a != b) {
    std::fprintf(stderr, "--- one\n%.*s\n--- other\n%.*s\n", static_cast<int>(a.size()), a.data(),
                 static_cast<int>(b.size()), b.data());
  }
  require(a == b, promise);
}

}  // namespace postern::fuzz
