#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A source said TLS for a member of the pool, and [auth] allowed_hosts was empty: the context for it had not
// been made, and the whole process ended.

namespace postern::sim {

TEST_CASE("a source may say TLS for a member of a pool that has none") {
  World world(
      config(kImap, kTwoStores, "[auth]\nby = \"dovecot\"\ndovecot = { socket = \"192.0.2.200:12345\" }\n"));
  Peer& service = *world.stores.at(0);
  world.settle();
  service.send(
      "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
      "COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n");
  world.settle();
  take(service);
  greet(world);
  world.client.send(kLogin);
  world.settle();
  const std::string question = take(service);
  REQUIRE(question.starts_with("AUTH\t"));
  const std::string id = question.substr(5, question.find('\t', 5) - 5);
  service.send("OK\t" + id + "\tuser=bob\tproxy\thost=192.0.2.101\tssl=any-cert\n");
  world.settle();
  REQUIRE(world.dialled.size() == 2);
  CHECK(world.stores[1]->received.starts_with("\x16\x03"));  // a TLS record with the client's hello
}

}  // namespace postern::sim
