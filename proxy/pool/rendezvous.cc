#include "proxy/pool/rendezvous.h"

#include <cmath>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace postern::pool {

std::string canonical_user(std::string_view user) {
  std::string canonical(user);
  for (char& octet : canonical) {
    if (octet >= 'A' && octet <= 'Z') octet = static_cast<char>(octet - 'A' + 'a');
  }
  return canonical;
}

std::uint64_t backend_seed(std::string_view backend_name) {
  return XXH3_64bits(backend_name.data(), backend_name.size());
}

double score(std::string_view canonical_user, std::uint64_t backend_seed, unsigned weight) {
  if (weight == 0) return 0;
  const std::uint64_t hash = XXH3_64bits_withSeed(canonical_user.data(), canonical_user.size(), backend_seed);
  // 52 bits and a half: the largest sum still fits the 53 bits of a double, so that u never rounds up to 1.
  const double u = (static_cast<double>(hash >> 12) + 0.5) * 0x1p-52;
  return -static_cast<double>(weight) / std::log(u);
}

}  // namespace postern::pool
