#include <cerrno>
#include <doctest/doctest.h>
#include <string>
#include <sys/socket.h>

#include "tests/unit/net/pair.h"

namespace postern::net {

namespace {

std::string read_all(Transport& transport) {
  std::string bytes(1000, '\0');
  const IoResult result = transport.read(bytes);
  bytes.resize(result.size);
  return bytes;
}

}  // namespace

TEST_CASE("bytes and the end of a direction arrive") {
  Loop loop({});
  Pair pair(loop);
  CHECK(pair.there->read(std::span<char>()).kind != IoResult::Kind::Done);
  CHECK(pair.here->write("hello").size == 5);
  pair.there->want(true, false);
  run_until(loop, [&pair] { return pair.there_owner.readable; });
  CHECK(read_all(*pair.there) == "hello");
  pair.here->finish_writing();
  pair.there_owner.readable = false;
  run_until(loop, [&pair] { return pair.there_owner.readable; });
  char byte;
  CHECK(pair.there->read({&byte, 1}).kind == IoResult::Kind::End);
  CHECK(pair.there->write("still").size == 5);  // the other direction goes on
}

TEST_CASE("breaking off tells the peer") {
  Loop loop({});
  Pair pair(loop);
  pair.there->want(true, false);
  pair.here->break_off();
  pair.here.reset();
  run_until(loop, [&pair] { return pair.there_owner.readable; });
  char byte;
  const IoResult result = pair.there->read({&byte, 1});
  CHECK(result.kind == IoResult::Kind::Failed);
  CHECK(result.error == ECONNRESET);
}

TEST_CASE("a refused connection is told as such") {
  Loop loop({});
  auto socket = ListeningSocket::open(*Endpoint::parse("127.0.0.1:0"));
  REQUIRE(socket.has_value());
  const Endpoint endpoint = socket->endpoint();
  {
    const ListeningSocket closed = std::move(*socket);
  }
  Noting owner;
  auto dialled = loop.dial(endpoint, &owner, 0);
  REQUIRE(dialled.has_value());
  (*dialled)->want(false, true);
  run_until(loop, [&owner] { return owner.writable; });
  CHECK((*dialled)->connect_error() == ECONNREFUSED);
}

TEST_CASE("what is not wanted is not told, and a destroyed socket tells nothing") {
  Loop loop({});
  Pair pair(loop);
  pair.here->write("x");
  pair.there->want(true, false);
  pair.there->want(false, false);
  int turns = 0;
  run_until(loop, [&turns] { return ++turns > 3; });
  CHECK(pair.there_owner.events == 0);
  pair.there->want(true, false);
  pair.there.reset();
  run_until(loop, [&turns] { return ++turns > 8; });
  CHECK(pair.there_owner.events == 0);
}

TEST_CASE("addresses survive the way through the system's form") {
  for (const char* text : {"192.0.2.1:993", "[2001:db8::1]:995", "[::1]:1"}) {
    sockaddr_storage address{};
    CHECK(sockaddr_from(*Endpoint::parse(text), address) > 0);
    CHECK(endpoint_from(address).to_string() == text);
  }
}

TEST_CASE("a socket that rests is told afterwards of what came meanwhile, its peer's end included") {
  Loop loop({});
  Pair pair(loop);
  int turns = 0;
  const auto some_turns = [&loop, &turns] {
    const int until = turns + 4;
    run_until(loop, [&turns, until] { return ++turns > until; });
  };
  pair.there->want(true, false);
  some_turns();
  for (int round = 0; round < 3; ++round) {
    pair.there->want(false, false);
    pair.here->write("x");
    if (round == 2) pair.here.reset();
    some_turns();
    CHECK(pair.there_owner.events == 0);
    pair.there->want(true, false);
    run_until(loop, [&pair] { return pair.there_owner.readable; });
    CHECK(read_all(*pair.there) == "x");
    pair.there_owner = {};
  }
  run_until(loop, [&pair] { return pair.there_owner.readable; });
  char byte;
  CHECK(pair.there->read({&byte, 1}).kind == IoResult::Kind::End);
}

}  // namespace postern::net
