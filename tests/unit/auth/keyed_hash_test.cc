#include "proxy/auth/keyed_hash.h"

#include <doctest/doctest.h>

namespace postern::auth {

TEST_CASE("one object hashes the same always, two objects differ") {
  const KeyedHash one;
  const KeyedHash other;
  const Address address = *Address::parse("192.0.2.1");
  CHECK(one("bob") == one("bob"));
  CHECK(one(address) == one(address));
  CHECK(one("bob") != other("bob"));
  CHECK(one(address) != other(address));
}

TEST_CASE("user and password are told apart") {
  const KeyedHash hash;
  CHECK(hash("ab", Secret("c")) == hash("ab", Secret("c")));
  CHECK(hash("ab", Secret("c")) != hash("a", Secret("bc")));
  CHECK(hash("ab", Secret("c")) != hash("c", Secret("ab")));
  CHECK(hash("ab", Secret("")) != hash("", Secret("ab")));
}

TEST_CASE("an IPv4 address is not the IPv6 address of the same octets") {
  const KeyedHash hash;
  CHECK(hash(*Address::parse("1.2.3.4")) != hash(*Address::parse("102:304::")));
}

}  // namespace postern::auth
