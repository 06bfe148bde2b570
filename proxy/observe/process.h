#pragma once

#include <cstdint>

namespace postern::observe {

struct ProcessNumbers {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;  // the soft limit
};

// Reads /proc/self; what cannot be read is 0.
ProcessNumbers read_process();

}  // namespace postern::observe
