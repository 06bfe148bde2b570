#include "tests/fuzz/back_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  postern::fuzz::play_back(postern::Protocol::Pop3, data, size);
  return 0;
}
