#include "proxy/auth/keyed_hash.h"

#include <cstdlib>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace postern::auth {

KeyedHash::KeyedHash() {
  if (getrandom(&key_, sizeof key_, 0) != sizeof key_) std::abort();  // eight octets never come short
}

std::size_t KeyedHash::operator()(std::string_view text) const {
  return XXH3_64bits_withSeed(text.data(), text.size(), key_);
}

std::size_t KeyedHash::operator()(const Address& address) const {
  return XXH3_64bits_withSeed(address.bytes.data(), address.bytes.size(),
                              key_ + static_cast<std::uint64_t>(address.family));
}

std::uint64_t KeyedHash::operator()(std::string_view user, const Secret& password) const {
  const std::string_view bytes = password.reveal();
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), (*this)(user));
}

}  // namespace postern::auth
