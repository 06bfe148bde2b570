#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parsers/address.h"
#include "parsers/secret.h"

namespace postern::auth {

// Hashes under a random key that is made with the object and never leaves it: a client that chooses its
// address or name cannot aim at a place in a table. For the tables of this process alone.
class KeyedHash {
 public:
  KeyedHash();

  using is_transparent = void;
  std::size_t operator()(std::string_view text) const;
  std::size_t operator()(const Address& address) const;
  // Of both, told apart: ("ab", "c") is not ("a", "bc"). Leaves no trace of the password.
  std::uint64_t operator()(std::string_view user, const Secret& password) const;

 private:
  std::uint64_t key_;
};

}  // namespace postern::auth
