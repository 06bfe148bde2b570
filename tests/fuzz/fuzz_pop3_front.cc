#include "tests/fuzz/front_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  postern::fuzz::play_front(postern::Protocol::Pop3, data, size);
  return 0;
}
