#pragma once

#include <string>

#include "tests/sim/world.h"

// Configurations and phrases that several tests of the simulation use.

namespace postern::sim {

inline constexpr std::string_view kImap = R"(
[listen.front]
protocol = "imap"
address = ["127.0.0.1:993"]
tls = "none"
[[route]]
pool = "store"
[admin]
http = ""
)";

inline constexpr std::string_view kPop3 = R"(
[listen.front]
protocol = "pop3"
address = ["127.0.0.1:995"]
tls = "none"
[[route]]
pool = "store"
[admin]
http = ""
)";

// Two backends that serve the same users, without the forwarding that a store of few words can't follow.
inline constexpr std::string_view kTwoStores = R"(
[pool.store]
forward = []
[pool.store.backends]
s1 = "192.0.2.101"
s2 = "192.0.2.102"
)";

// Outages and wrong passwords are told at once.
inline constexpr std::string_view kAtOnce = "[limits]\nfailure_delay = \"0s\"\n";

inline constexpr std::string_view kGreeting = "* OK [CAPABILITY IMAP4rev1 IDLE] store ready\r\n";
inline constexpr std::string_view kLogin = "a LOGIN bob secret\r\n";
inline constexpr std::string_view kStoreOk = "L OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n";
inline constexpr std::string_view kClientOk = "a OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n";

inline std::string config(std::string_view front, std::string_view stores, std::string_view more = "") {
  return std::string(front) + std::string(stores) + std::string(more);
}

// Takes what came since the last call.
inline std::string take(Peer& peer) { return std::exchange(peer.received, {}); }

// The client connects and has read its greeting.
inline void greet(World& world) {
  world.connect();
  world.settle();
  take(world.client);
}

// The client has sent its credentials and the first store its greeting.
inline void ask_to_log_in(World& world) {
  greet(world);
  world.client.send(kLogin);
  world.settle();
  world.stores[0]->send(kGreeting);
  world.settle();
}

// A whole login on the first backend that is dialled; afterwards both sides' buffers are empty.
inline void log_in(World& world) {
  ask_to_log_in(world);
  take(*world.stores.back());
  world.stores.back()->send(kStoreOk);
  world.settle();
  take(world.client);
}

// An answer of an HTTP service of identity.
inline std::string http_answer(std::string_view fields) {
  return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + std::string(fields) + "\r\n";
}

// Users are looked up in a map, whose table `map` gives.
inline std::string mapped(std::string_view map) {
  std::string front(kImap);
  constexpr std::string_view kByPool = "pool = \"store\"";
  front.replace(front.find(kByPool), kByPool.size(), "map = \"homes\"");
  return front + std::string(map) +
         "[pool.store]\nforward = []\n[pool.store.backends]\ns1 = \"192.0.2.101\"\n";
}

// In a Redis; `redis` has its keys beside the address.
inline std::string mapped(std::string_view address, std::string_view redis) {
  return mapped("[map.homes.redis]\naddress = \"" + std::string(address) + "\"\n" + std::string(redis));
}

}  // namespace postern::sim
