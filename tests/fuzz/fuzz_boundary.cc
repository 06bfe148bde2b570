#include <cstdint>

#include "parsers/boundary.h"
#include "tests/fuzz/flights.h"
#include "tests/fuzz/require.h"

// How a stream is cut does not change where its boundaries are; what became opaque stays so. The first octet
// seeds the cuts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern;
  using fuzz::require;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  ImapBoundary whole;
  whole.feed(bytes);
  ImapBoundary cut;
  bool opaque = false;
  for (const std::string_view piece : fuzz::Cutter(data[0] | 1).cut(bytes)) {
    cut.feed(piece);
    require(!opaque || cut.opaque(), "what is opaque stays opaque");
    opaque = cut.opaque();
    require(!opaque || !cut.at_boundary(), "an opaque stream has no boundary");
  }
  require(whole.at_boundary() == cut.at_boundary() && whole.opaque() == cut.opaque(),
          "the same boundary however the bytes arrive");
  require(bytes.empty() || !whole.at_boundary() || bytes.ends_with("\n"), "a boundary is behind a line");
  return 0;
}
