#include "proxy/auth/limiter.h"

#include <atomic>
#include <doctest/doctest.h>
#include <thread>
#include <vector>

namespace postern::auth {
namespace {

Address address(std::string_view text) { return *Address::parse(text); }

}  // namespace

TEST_CASE("an address has so many sessions and no more, another one has its own") {
  Limiter limiter({.sessions_per_address = 2});
  auto first = limiter.admit(address("192.0.2.1"));
  const auto second = limiter.admit(address("192.0.2.1"));
  REQUIRE(first);
  REQUIRE(second);
  const auto third = limiter.admit(address("192.0.2.1"));
  REQUIRE_FALSE(third);
  CHECK(third.error() == Fault::AddressLimit);
  CHECK(limiter.admit(address("192.0.2.2")));
  first->release();
  CHECK(limiter.admit(address("192.0.2.1")));
}

TEST_CASE("a session that is logged in makes room for one that is not") {
  Limiter limiter({.prelogin_per_address = 1});
  auto first = limiter.admit(address("192.0.2.1"));
  CHECK_FALSE(limiter.admit(address("192.0.2.1")));
  first->logged_in();
  first->logged_in();
  auto second = limiter.admit(address("192.0.2.1"));
  CHECK(second);
  CHECK_FALSE(limiter.admit(address("192.0.2.1")));
  first->release();
  CHECK_FALSE(limiter.admit(address("192.0.2.1")));
  second->release();
  CHECK(limiter.admit(address("192.0.2.1")));
}

TEST_CASE("a session that leaves before its login makes room, while others of its address stay") {
  Limiter limiter({.prelogin_per_address = 1});
  auto stays = limiter.admit(address("192.0.2.1"));
  stays->logged_in();
  for (int i = 0; i < 3; ++i) CHECK(limiter.admit(address("192.0.2.1")));
}

TEST_CASE("IPv6 counts by /64") {
  Limiter limiter({.prelogin_per_address = 1});
  const auto first = limiter.admit(address("2001:db8::1"));
  CHECK_FALSE(limiter.admit(address("2001:db8:0:0:ffff::2")));
  CHECK(limiter.admit(address("2001:db8:0:1::1")));
}

TEST_CASE("a user has so many sessions and no more, octet for octet") {
  Limiter limiter({.sessions_per_user = 1});
  auto first = limiter.enter("bob");
  REQUIRE(first);
  const auto second = limiter.enter("bob");
  REQUIRE_FALSE(second);
  CHECK(second.error() == Fault::UserLimit);
  CHECK(limiter.enter("Bob"));
  *first = Limiter::UserTicket();
  CHECK(limiter.enter("bob"));
}

TEST_CASE("0 is no limit, and a limit that comes later counts the sessions that are there") {
  Limiter limiter({});
  std::vector<Limiter::AddressTicket> addresses;
  std::vector<Limiter::UserTicket> users;
  for (int i = 0; i < 100; ++i) {
    addresses.push_back(*limiter.admit(address("192.0.2.1")));
    users.push_back(*limiter.enter("bob"));
  }
  limiter.set_limits({.sessions_per_address = 100, .sessions_per_user = 100});
  CHECK_FALSE(limiter.admit(address("192.0.2.1")));
  CHECK_FALSE(limiter.enter("bob"));
  addresses.pop_back();
  users.pop_back();
  CHECK(limiter.admit(address("192.0.2.1")));
  CHECK(limiter.enter("bob"));
}

TEST_CASE("an entry dies with its last session, refused ones leave none") {
  Limiter limiter({.sessions_per_address = 1, .sessions_per_user = 1});
  {
    auto one = limiter.admit(address("192.0.2.1"));
    auto moved = std::move(*one);
    const auto user = limiter.enter("bob");
    CHECK_FALSE(limiter.admit(address("192.0.2.1")));
    CHECK_FALSE(limiter.enter("bob"));
    CHECK(limiter.size().addresses == 1);
    CHECK(limiter.size().users == 1);
    CHECK_FALSE(*one);
    CHECK(moved);
    moved.release();
    moved.release();
    CHECK(limiter.size().addresses == 0);
  }
  CHECK(limiter.size().users == 0);
}

TEST_CASE("threads never pass a limit, and leave nothing behind") {
  Limiter limiter({.sessions_per_address = 5, .prelogin_per_address = 3, .sessions_per_user = 4});
  std::atomic<int> sessions{0};
  std::atomic<int> prelogin{0};
  std::atomic<int> of_user{0};
  std::atomic<bool> passed{false};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 2'000; ++i) {
        const auto other = limiter.admit(address(i % 2 == 0 ? "192.0.2.1" : "192.0.2.2"));
        auto ticket = limiter.admit(address("2001:db8::1"));
        if (!ticket) continue;
        // Counted behind the ticket's birth and before its death: never more than there are tickets.
        if (++sessions > 5 || ++prelogin > 3) passed = true;
        const auto user = limiter.enter("bob");
        if (user && ++of_user > 4) passed = true;
        if (user) --of_user;
        --prelogin;
        if (thread % 2 == 0) ticket->logged_in();
        --sessions;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(passed);
  CHECK(limiter.size().addresses == 0);
  CHECK(limiter.size().users == 0);
}

}  // namespace postern::auth
