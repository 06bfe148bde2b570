#pragma once

#include <compare>

namespace postern::conf {

// A place in a configuration file, counted from 1 in lines and in characters. Line 0: no place of its own.
struct Position {
  unsigned line = 0;
  unsigned column = 0;

  auto operator<=>(const Position&) const = default;
};

}  // namespace postern::conf
