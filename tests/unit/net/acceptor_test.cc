#include <algorithm>
#include <cerrno>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "tests/unit/net/pair.h"

namespace postern::net {

namespace {

struct Fixture {
  Loop loop{{}};
  std::vector<int> accepted;
  std::vector<int> errors;
  int limit = 1000;
  int batch = 64;
  std::unique_ptr<Acceptor> acceptor;
  std::vector<std::unique_ptr<Transport>> clients;
  Noting owner;

  Fixture() {
    auto socket = ListeningSocket::open(*Endpoint::parse("127.0.0.1:0"));
    REQUIRE(socket.has_value());
    acceptor = std::make_unique<Acceptor>(
        loop.handle(), std::move(*socket),
        Acceptor::Hooks{
            .accepted = [this](int descriptor, const Endpoint&) { accepted.push_back(descriptor); },
            .room = [this] { return std::min(batch, limit - static_cast<int>(accepted.size())); },
            .exhausted = [this](int error) { errors.push_back(error); }});
  }
  ~Fixture() {
    for (const int descriptor : accepted) ::close(descriptor);
  }
  void dial(int count) {
    for (int i = 0; i < count; ++i) {
      auto client = loop.dial(acceptor->endpoint(), &owner, 0);
      REQUIRE(client.has_value());
      clients.push_back(std::move(*client));
    }
  }
};

}  // namespace

TEST_CASE("more connections than one batch are all accepted") {
  Fixture fixture;
  fixture.dial(3 * fixture.batch + 5);
  run_until(fixture.loop, [&fixture] { return fixture.accepted.size() == fixture.clients.size(); });
}

TEST_CASE("at the limit the acceptor pauses, and it resumes when told") {
  Fixture fixture;
  fixture.limit = 3;
  fixture.dial(5);
  run_until(fixture.loop, [&fixture] { return fixture.acceptor->paused(); });
  CHECK(fixture.accepted.size() == 3);
  fixture.limit = 10;
  fixture.acceptor->resume();
  run_until(fixture.loop, [&fixture] { return fixture.accepted.size() == 5; });
}

TEST_CASE("without descriptors the acceptor pauses and closes nothing") {
  Fixture fixture;
  fixture.dial(2);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  run_until(fixture.loop, [&fixture] { return fixture.acceptor->paused(); });
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(fixture.accepted.empty());
  REQUIRE(fixture.errors.size() == 1);
  CHECK(fixture.errors[0] == EMFILE);
  fixture.acceptor->resume();
  run_until(fixture.loop, [&fixture] { return fixture.accepted.size() == 2; });
}

TEST_CASE("several sockets share an address") {
  auto first = ListeningSocket::open(*Endpoint::parse("127.0.0.1:0"));
  REQUIRE(first.has_value());
  auto second = ListeningSocket::open(first->endpoint());
  CHECK(second.has_value());
}

TEST_CASE("an address that is not ours is refused with its name") {
  auto socket = ListeningSocket::open(*Endpoint::parse("192.0.2.1:993"));
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().starts_with("cannot bind 192.0.2.1:993: "));
}

}  // namespace postern::net
