#include "proxy/route/redis_map.h"

#include <doctest/doctest.h>
#include <memory>

#include "tests/unit/auth/dovecot_peer.h"
#include "tests/unit/route/redis_world.h"

namespace postern::route {

namespace {

std::string get(std::string_view user) {
  return std::string(write_redis({"GET", "place:" + std::string(user) + "!"}).reveal());
}

// The map, and a Redis that the test plays.
struct Stage {
  struct Wishes {
    Duration timeout{10000};
    unsigned in_flight = 100;
    Duration found{60000};
    Duration missing{5000};
    std::string user{};
    std::string password{};
    unsigned database = 0;
    std::string host = "127.0.0.1";
  };
  explicit Stage(const Wishes& wishes) {
    peer.start();
    conf::Map settings;
    settings.redis = conf::Map::Redis{.host = wishes.host,
                                      .port = peer.port(),
                                      .path = {},
                                      .key = "place:{user}!",
                                      .user = wishes.user,
                                      .password_file = {},
                                      .database = wishes.database,
                                      .timeout = wishes.timeout,
                                      .in_flight = wishes.in_flight};
    settings.cache = {.entries = 100, .found = wishes.found, .missing = wishes.missing};
    world = std::make_unique<RedisWorld>(settings, wishes.password);
  }
  Stage() : Stage(Wishes{}) {}

  void until(const std::function<bool()>& done) {
    net::run_until(world->loop, [this, &done] {
      peer.step();
      return done();
    });
  }
  void connect(std::size_t connections = 1) {
    until([this, connections] { return peer.connections.size() == connections && world->map.connected(); });
  }
  FakePeer::Connection& connection() { return peer.connections.back(); }
  void hear(const std::string& text) {
    until([this, &text] { return !peer.connections.empty() && connection().received.contains(text); });
  }
  std::size_t times(const std::string& text) {
    std::size_t times = 0;
    for (const auto& each : peer.connections) {
      for (std::size_t at = 0; (at = each.received.find(text, at)) != std::string::npos; ++at) ++times;
    }
    return times;
  }
  MapAnswer answer(std::uint32_t slot) {
    if (!world->answered(slot)) until([this, slot] { return world->answered(slot); });
    return world->take(slot);
  }

  FakePeer peer;
  std::unique_ptr<RedisWorld> world;
};

}  // namespace

TEST_CASE("replies find their questions in order, and are remembered") {
  Stage stage;
  stage.connect();
  CHECK_FALSE(stage.world->find("bob", 1));
  CHECK_FALSE(stage.world->find("eve", 2));
  CHECK_FALSE(stage.world->find("{user}", 3));
  stage.hear(get("bob") + get("eve") + get("{user}"));
  stage.connection().say("$7\r\nblue/b1\r\n$-1\r\n$3\r\nr");
  CHECK(stage.answer(1).place == Place{"blue", "b1"});
  const MapAnswer eve = stage.answer(2);
  CHECK(eve.fault == Fault::None);
  CHECK_FALSE(eve.place);
  CHECK_FALSE(stage.world->answered(3));
  stage.connection().say("ed\r\n");
  CHECK(stage.answer(3).place == Place{"red", ""});
  const auto again = stage.world->find("bob", 4);
  REQUIRE(again);
  CHECK(again->place == Place{"blue", "b1"});
  CHECK(again->ticket == net::AnswerTicket{4, 1});
  CHECK_FALSE(again->stale);
  REQUIRE(stage.world->find("eve", 5));
  CHECK(stage.world->map.cached() == 3);
}

TEST_CASE("all who ask about one user at once share one GET") {
  Stage stage;
  CHECK_FALSE(stage.world->find("bob", 1));
  stage.connect();
  CHECK_FALSE(stage.world->find("bob", 2));
  CHECK_FALSE(stage.world->find("bob", 3));
  CHECK_FALSE(stage.world->find("eve", 4));
  stage.hear(get("eve"));
  CHECK(stage.times(get("bob")) == 1);
  stage.connection().say("$4\r\nblue\r\n$-1\r\n");
  for (const std::uint32_t slot : {1U, 2U, 3U}) CHECK(stage.answer(slot).place == Place{"blue", ""});
}

TEST_CASE("whoever has gone gets no answer, and nobody gets that of another user") {
  Stage stage;
  stage.connect();
  for (const std::uint32_t slot : {1U, 2U, 3U, 4U}) CHECK_FALSE(stage.world->find("bob", slot));
  stage.world->map.cancel({1, 1});
  stage.world->map.cancel({2, 1});
  stage.world->map.cancel({9, 1});
  CHECK_FALSE(stage.world->find("eve", 2));
  stage.world->on_answer = [&stage](const MapAnswer& answer) {
    if (answer.ticket.slot == 3) stage.world->map.cancel({4, 1});
  };
  stage.hear(get("eve"));
  stage.connection().say("$4\r\nblue\r\n$3\r\nred\r\n");
  CHECK(stage.answer(3).place == Place{"blue", ""});
  CHECK(stage.answer(2).place == Place{"red", ""});
  CHECK(stage.world->answers.empty());
}

TEST_CASE("an answer that is not fresh is asked again") {
  Stage stage({.found = Duration(0), .missing = Duration(0)});
  stage.connect();
  CHECK_FALSE(stage.world->find("bob", 1));
  stage.hear(get("bob"));
  stage.connection().say("$4\r\nblue\r\n");
  stage.answer(1);
  CHECK_FALSE(stage.world->find("bob", 2));
  stage.until([&stage] { return stage.times(get("bob")) == 2; });
  stage.connection().say("$3\r\nred\r\n");
  CHECK(stage.answer(2).place == Place{"red", ""});
}

TEST_CASE("a fault of Redis is no absence, and the last good answer helps") {
  for (const std::string& said : {std::string("-NOAUTH Authentication required.\r\n"),
                                  std::string("-WRONGTYPE Operation against a key\r\n"),
                                  std::string("-\x01\x02\r\n"), std::string(":7\r\n"), std::string("*0\r\n"),
                                  std::string("HTTP/1.1 400\r\n"), "$70000\r\n" + std::string(70000, 'x')}) {
    CAPTURE(said.substr(0, 20));
    Stage stage({.found = Duration(0)});
    stage.connect();
    CHECK_FALSE(stage.world->find("bob", 1));
    stage.hear(get("bob"));
    stage.connection().say("$4\r\nblue\r\n");
    CHECK_FALSE(stage.answer(1).stale);
    CHECK_FALSE(stage.world->find("bob", 2));
    stage.until([&stage] { return stage.times(get("bob")) == 2; });
    stage.connection().say(said);
    const MapAnswer known = stage.answer(2);
    CHECK(known.fault == Fault::None);
    CHECK(known.place == Place{"blue", ""});
    CHECK(known.stale);
    stage.until([&stage] { return stage.world->map.connected(); });
    CHECK_FALSE(stage.world->find("eve", 3));
    stage.hear(get("eve"));
    stage.connection().say(said);
    const MapAnswer unknown = stage.answer(3);
    CHECK(unknown.fault == Fault::LookupUnavailable);
    CHECK_FALSE(unknown.place);
    CHECK_FALSE(unknown.detail.empty());
    CHECK(std::ranges::all_of(unknown.detail, [](char c) { return c >= ' ' && c < 0x7f; }));
  }
}

TEST_CASE("a value that is no place is a fault of its own, and not remembered") {
  Stage stage;
  stage.connect();
  CHECK_FALSE(stage.world->find("bob", 1));
  stage.hear(get("bob"));
  stage.connection().say("$8\r\nblue/b 1\r\n");
  const MapAnswer answer = stage.answer(1);
  CHECK(answer.fault == Fault::LookupInvalid);
  CHECK_FALSE(answer.place);
  CHECK_FALSE(stage.world->find("bob", 2));
}

TEST_CASE("a lost connection costs nobody an answer who still has time") {
  Stage stage;
  stage.connect();
  CHECK_FALSE(stage.world->find("bob", 1));
  CHECK_FALSE(stage.world->find("eve", 2));
  stage.hear(get("eve"));
  stage.connection().say("$4\r\nblue\r\n$3\r\nre");
  stage.connection().close();
  CHECK(stage.answer(1).place == Place{"blue", ""});
  stage.connect(2);
  CHECK_FALSE(stage.world->find("al", 3));
  stage.hear(get("eve") + get("al"));
  stage.connection().say("$5\r\ngreen\r\n$-1\r\n");
  CHECK(stage.answer(2).place == Place{"green", ""});
  CHECK_FALSE(stage.answer(3).place);
}

TEST_CASE("a mute Redis is given up in time, and another connection tried") {
  Stage stage({.timeout = Duration(200)});
  stage.connect();
  CHECK_FALSE(stage.world->find("bob", 1));
  CHECK(stage.answer(1).fault == Fault::LookupUnavailable);
  stage.connect(2);
  stage.until([&stage] { return stage.peer.connections.front().ended; });
  CHECK_FALSE(stage.world->find("eve", 2));
  stage.hear(get("eve"));
  stage.connection().say("$3\r\nred\r\n");
  CHECK(stage.answer(2).place == Place{"red", ""});
}

TEST_CASE("without Redis questions end in time, and known users are answered at once") {
  Stage stage({.timeout = Duration(200), .found = Duration(0)});
  stage.connect();
  CHECK_FALSE(stage.world->find("bob", 1));
  stage.hear(get("bob"));
  stage.connection().say("$4\r\nblue\r\n");
  stage.answer(1);
  stage.peer.stop();
  stage.connection().close();
  stage.until([&stage] { return !stage.world->map.connected(); });
  const auto known = stage.world->find("bob", 2);
  REQUIRE(known);
  CHECK(known->stale);
  CHECK(known->place == Place{"blue", ""});
  CHECK_FALSE(stage.world->find("eve", 3));
  CHECK(stage.answer(3).fault == Fault::LookupUnavailable);
  CHECK_FALSE(stage.world->trouble.empty());
  stage.peer.start();
  stage.connect(2);
  CHECK_FALSE(stage.world->find("eve", 4));
  stage.hear(get("eve"));
}

TEST_CASE("no more questions than allowed are under way") {
  Stage stage({.in_flight = 2});
  stage.connect();
  CHECK_FALSE(stage.world->find("a", 1));
  CHECK_FALSE(stage.world->find("b", 2));
  CHECK_FALSE(stage.world->find("b", 3));
  const auto refused = stage.world->find("c", 4);
  REQUIRE(refused);
  CHECK(refused->fault == Fault::LookupUnavailable);
  CHECK(refused->ticket == net::AnswerTicket{4, 1});
}

TEST_CASE("AUTH and SELECT come first and must be granted") {
  Stage stage({.user = "postern", .password = "s e c", .database = 3});
  CHECK_FALSE(stage.world->find("bob", 1));
  const std::string introduction = std::string(write_redis({"AUTH", "postern", "s e c"}).reveal()) +
                                   std::string(write_redis({"SELECT", "3"}).reveal());
  stage.hear(introduction);
  CHECK_FALSE(stage.world->map.connected());
  stage.connection().say("-WRONGPASS no\r\n");
  stage.until([&stage] { return stage.peer.connections.size() == 2; });
  CHECK(stage.world->trouble == "AUTH or SELECT was refused: Redis says WRONGPASS");
  stage.hear(introduction);
  stage.connection().say("+OK\r\n+OK\r\n");
  stage.hear(introduction + get("bob"));
  stage.connection().say("$4\r\nblue\r\n");
  CHECK(stage.answer(1).place == Place{"blue", ""});
}

TEST_CASE("a password without a user, and a name of a host") {
  Stage stage({.password = "secret", .host = "localhost"});
  stage.hear(std::string(write_redis({"AUTH", "secret"}).reveal()));
}

TEST_CASE("a Redis that speaks unasked is left") {
  Stage stage;
  stage.connect();
  stage.connection().say("$4\r\nblue\r\n");
  stage.connect(2);
  CHECK_FALSE(stage.world->find("bob", 1));
}

}  // namespace postern::route
