#include "proxy/auth/http_client.h"

#include <doctest/doctest.h>
#include <map>
#include <string>

#include "tests/unit/auth/http_server.h"
#include "tests/unit/net/pair.h"
#include "tests/unit/tls/authority.h"

namespace postern::auth {
namespace {

using namespace std::chrono_literals;

// A client on a loop of its own, and what it has delivered.
struct World {
  net::Loop loop{{.end_of_turn = {},
                  .woken = {},
                  .addresses = [this](const std::vector<Address>& addresses, net::AnswerTicket ticket) {
                    tickets.push_back(ticket);
                    client->addresses(addresses, ticket);
                  }}};
  std::vector<net::AnswerTicket> tickets;
  std::map<std::uint64_t, HttpResult> results;
  bool inside = false;  // of submit() or cancel()
  std::function<void(std::uint64_t)> delivered;
  std::optional<HttpClient> client;
  HttpServer server{loop, [](HttpServer::Peer& peer, const std::string&) { peer.say(http_ok("A: b\r\n")); }};

  void use(const conf::Url& url, unsigned in_flight = 10, std::shared_ptr<tls::ClientContext> tls = nullptr) {
    client.emplace(loop, url, std::move(tls), in_flight, net::kServiceSlots + 3,
                   [this](std::uint64_t id, HttpResult result) {
                     CHECK_FALSE(inside);
                     CHECK_FALSE(results.contains(id));
                     results.emplace(id, std::move(result));
                     if (delivered) delivered(id);
                   });
  }
  bool submit(std::uint64_t id, Duration time = 5s) {
    inside = true;
    const bool taken = client->submit(
        id, HttpRequest(HttpRequest::Method::Get, "/" + std::to_string(id), "h").finish(), time);
    inside = false;
    return taken;
  }
  void cancel(std::uint64_t id) {
    inside = true;
    client->cancel(id);
    inside = false;
  }
  const HttpResult& result(std::uint64_t id) {
    net::run_until(loop, [this, id] { return results.contains(id); });
    return results.at(id);
  }
  HttpFailure::Kind failure(std::uint64_t id) {
    REQUIRE_FALSE(result(id).has_value());
    CHECK(result(id).error().text.starts_with(server.url().host + ":"));
    return result(id).error().kind;
  }
  bool good(std::uint64_t id) { return result(id) && result(id)->find("a") == "b"; }
};

TEST_CASE("a connection is kept and used again") {
  World world;
  world.use(world.server.url());
  for (std::uint64_t id = 1; id <= 5; ++id) {
    REQUIRE(world.submit(id));
    CHECK(world.good(id));
  }
  CHECK(world.server.peers.size() == 1);
  CHECK(world.server.requests.at(4) == "GET /5 HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(world.client->idle() == 1);
}

TEST_CASE("requests at once have a connection each; then the latest used serves") {
  World world;
  std::vector<HttpServer::Peer*> asked;
  world.server.script = [&asked](HttpServer::Peer& peer, const std::string&) { asked.push_back(&peer); };
  world.use(world.server.url());
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(world.submit(id));
  net::run_until(world.loop, [&asked] { return asked.size() == 3; });
  for (const std::size_t next : {2U, 0U, 1U}) {
    const std::size_t before = world.results.size();
    asked[next]->say(http_ok("A: b\r\n"));
    net::run_until(world.loop, [&world, before] { return world.results.size() > before; });
  }
  CHECK(world.client->idle() == 3);
  REQUIRE(world.submit(4));
  net::run_until(world.loop, [&asked] { return asked.size() == 4; });
  CHECK(asked[3] == asked[1]);
}

TEST_CASE("a connection that the server does not keep is not used again") {
  for (const std::string& answer :
       {std::string("HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        http_ok("A: b\r\n") + "x"}) {
    World world;
    world.use(world.server.url());
    world.server.script = [&answer](HttpServer::Peer& peer, const std::string&) { peer.say(answer); };
    REQUIRE(world.submit(1));
    CHECK(world.good(1));
    CHECK(world.client->idle() == 0);
    REQUIRE(world.submit(2));
    CHECK(world.good(2));
    CHECK(world.server.peers.size() == 2);
  }
}

TEST_CASE("an answer may end with the connection") {
  World world;
  world.use(world.server.url());
  world.server.script = [](HttpServer::Peer& peer, const std::string&) {
    peer.say("HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody");
    peer.hang_up();
  };
  REQUIRE(world.submit(1));
  CHECK(world.good(1));
  CHECK(world.result(1)->body.reveal() == "body");
  CHECK(world.client->idle() == 0);
}

TEST_CASE("a kept connection that ends while idle is forgotten") {
  World world;
  world.use(world.server.url());
  REQUIRE(world.submit(1));
  CHECK(world.good(1));
  world.server.peers.front()->hang_up();
  net::run_until(world.loop, [&world] { return world.client->idle() == 0; });
  REQUIRE(world.submit(2));
  CHECK(world.good(2));
}

TEST_CASE("a kept connection on which the server talks unasked is closed") {
  World world;
  world.use(world.server.url());
  REQUIRE(world.submit(1));
  CHECK(world.good(1));
  world.server.peers.front()->say(http_ok("A: stolen\r\n"));
  net::run_until(world.loop, [&world] { return world.client->idle() == 0; });
}

TEST_CASE("an idle connection is closed after a while") {
  World world;
  world.use(world.server.url());
  REQUIRE(world.submit(1));
  CHECK(world.good(1));
  CHECK(world.client->idle() == 1);
  world.loop.timers().advance(world.loop.now() + HttpClient::kIdle - 1s);
  CHECK(world.client->idle() == 1);
  world.loop.timers().advance(world.loop.now() + HttpClient::kIdle + 1s);
  CHECK(world.client->idle() == 0);
}

TEST_CASE("a request on a kept connection that ends without a byte is sent once more, on a fresh one") {
  for (const bool reset : {false, true}) {
    World world;
    world.use(world.server.url());
    REQUIRE(world.submit(1));
    CHECK(world.good(1));
    world.server.script = [reset, &world](HttpServer::Peer& peer, const std::string&) {
      if (world.server.requests.size() > 2) return peer.say(http_ok("A: b\r\n"));
      reset ? peer.break_off() : peer.hang_up();
    };
    REQUIRE(world.submit(2));
    CHECK(world.good(2));
    CHECK(world.server.requests.size() == 3);
    CHECK(world.server.requests[1] == world.server.requests[2]);
    CHECK(world.server.peers.size() == 2);
  }
}

TEST_CASE("it is sent once more only: not on a fresh connection, not after a byte") {
  World world;
  world.use(world.server.url());
  world.server.script = [](HttpServer::Peer& peer, const std::string&) { peer.hang_up(); };
  REQUIRE(world.submit(1));
  CHECK(world.failure(1) == HttpFailure::Kind::Unreachable);
  CHECK(world.server.requests.size() == 1);

  world.server.script = [](HttpServer::Peer& peer, const std::string&) { peer.say(http_ok("A: b\r\n")); };
  REQUIRE(world.submit(2));
  CHECK(world.good(2));
  world.server.script = [](HttpServer::Peer& peer, const std::string&) { peer.hang_up(); };
  REQUIRE(world.submit(3));  // kept, then fresh
  CHECK(world.failure(3) == HttpFailure::Kind::Unreachable);
  CHECK(world.server.requests.size() == 4);

  world.server.script = [](HttpServer::Peer& peer, const std::string&) { peer.say(http_ok("A: b\r\n")); };
  REQUIRE(world.submit(4));
  CHECK(world.good(4));
  world.server.script = [](HttpServer::Peer& peer, const std::string&) {
    peer.say("H");
    peer.hang_up();
  };
  REQUIRE(world.submit(5));
  CHECK(world.failure(5) == HttpFailure::Kind::Malformed);
  CHECK(world.server.requests.size() == 6);
}

TEST_CASE("silence ends at the deadline, wherever it begins") {
  for (const std::string& start : {std::string(), std::string("HTTP/1.1 2"),
                                   std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")}) {
    World world;
    world.use(world.server.url());
    world.server.script = [&start](HttpServer::Peer& peer, const std::string&) { peer.say(start); };
    const Time began = std::chrono::steady_clock::now();
    REQUIRE(world.submit(1, 100ms));
    CHECK(world.failure(1) == HttpFailure::Kind::Timeout);
    CHECK(world.result(1).error().text.ends_with("no complete answer in time"));
    CHECK(std::chrono::steady_clock::now() - began >= 100ms);
    CHECK(world.client->under_way() == 0);
    CHECK(world.client->idle() == 0);
    net::run_until(world.loop, [&world] { return world.server.open() == 0; });
  }
}

TEST_CASE("an answer in drips does not outlive the deadline") {
  World world;
  world.use(world.server.url());
  HttpServer::Peer* asked = nullptr;
  world.server.script = [&asked](HttpServer::Peer& peer, const std::string&) {
    asked = &peer;
    peer.say("HTTP/1.1 200 OK\r\n");
  };
  REQUIRE(world.submit(1, 150ms));
  net::run_until(world.loop, [&world, &asked] {
    if (asked != nullptr) asked->say("A: b\r\n");
    return !world.results.empty();
  });
  CHECK(world.failure(1) == HttpFailure::Kind::Timeout);
}

TEST_CASE("what is no answer is told as such, and the connection goes") {
  for (const std::string& answer : {std::string("* OK ready\r\n"), std::string(100000, 'x'),
                                    "HTTP/1.1 200 OK\r\nA: " + std::string(100000, 'x') + "\r\n\r\n",
                                    std::string("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")}) {
    World world;
    world.use(world.server.url());
    world.server.script = [&answer](HttpServer::Peer& peer, const std::string&) { peer.say(answer); };
    REQUIRE(world.submit(1));
    CHECK(world.failure(1) == HttpFailure::Kind::Malformed);
    CHECK(world.client->idle() == 0);
  }
}

TEST_CASE("a service that refuses the connection is unreachable") {
  World world;
  conf::Url url = world.server.url();
  {
    World other;
    url.port = other.server.url().port;  // nobody listens there any more
  }
  world.use(url);
  REQUIRE(world.submit(1));
  CHECK(world.failure(1) == HttpFailure::Kind::Unreachable);
  CHECK(world.result(1).error().text.contains("refused"));
}

TEST_CASE("a host is found by its name, under a ticket of the service's slot") {
  World world;
  conf::Url url = world.server.url();
  url.host = "localhost";
  world.use(url);
  REQUIRE(world.submit(1));
  REQUIRE(world.submit(2));
  CHECK(world.good(1));
  CHECK(world.good(2));
  REQUIRE(world.tickets.size() == 2);
  CHECK(world.tickets[0].slot == net::kServiceSlots + 3);
  CHECK_FALSE(world.tickets[0] == world.tickets[1]);
}

TEST_CASE("addresses reach who asked, and those that nobody awaits are dropped") {
  World world;
  conf::Url url = world.server.url();
  url.host = "localhost";
  world.use(url);
  REQUIRE(world.submit(1));
  world.client->addresses({*Address::parse("192.0.2.1")}, {.slot = net::kServiceSlots + 3, .generation = 99});
  world.client->addresses({*Address::parse("192.0.2.1")}, {.slot = 1, .generation = 1});
  CHECK(world.good(1));
  REQUIRE(world.submit(2));  // on the kept connection
  REQUIRE(world.submit(3));
  world.cancel(3);  // its name's answer comes to nobody
  CHECK(world.good(2));
  REQUIRE(world.submit(4));
  world.client->addresses({}, {.slot = net::kServiceSlots + 3, .generation = 99});
  CHECK(world.good(4));
}

TEST_CASE("a name without an address is unreachable") {
  World world;
  conf::Url url = world.server.url();
  url.host = "localhost";
  world.use(url);
  REQUIRE(world.submit(1));
  world.client->addresses({}, {.slot = net::kServiceSlots + 3, .generation = 1});
  REQUIRE(world.results.contains(1));
  CHECK(world.results.at(1).error().text ==
        "localhost:" + std::to_string(url.port) + ": no address for localhost");
}

TEST_CASE("a thousand requests to a mute server: as many as may be, and the rest is refused at once") {
  World world;
  world.use(world.server.url(), 10);
  world.server.script = [](HttpServer::Peer&, const std::string&) {};
  unsigned taken = 0;
  for (std::uint64_t id = 1; id <= 1000; ++id) taken += world.submit(id, 300ms) ? 1U : 0U;
  CHECK(taken == 10);
  CHECK(world.client->under_way() == 10);
  net::run_until(world.loop, [&world] { return world.results.size() == 10; });
  for (std::uint64_t id = 1; id <= 10; ++id) CHECK(world.failure(id) == HttpFailure::Kind::Timeout);
  CHECK(world.server.peers.size() == 10);
  CHECK(world.client->under_way() == 0);
  CHECK(world.submit(2000, 5s));
}

TEST_CASE("a cancelled request is forgotten with its connection") {
  World world;
  world.use(world.server.url(), 2);
  world.server.script = [](HttpServer::Peer&, const std::string&) {};
  REQUIRE(world.submit(1));
  world.cancel(1);  // before it has left
  CHECK(world.client->under_way() == 0);
  REQUIRE(world.submit(2));
  net::run_until(world.loop, [&world] { return world.server.requests.size() == 1; });
  world.cancel(2);
  world.cancel(2);
  world.cancel(77);
  net::run_until(world.loop, [&world] { return world.server.open() == 0; });
  CHECK(world.results.empty());
  world.server.script = [](HttpServer::Peer& peer, const std::string&) { peer.say(http_ok("A: b\r\n")); };
  REQUIRE(world.submit(3));
  CHECK(world.good(3));
  CHECK(world.results.size() == 1);
}

TEST_CASE("the next request may be made, and another cancelled, while a result is delivered") {
  World world;
  world.use(world.server.url(), 2);
  world.delivered = [&world](std::uint64_t id) {
    world.cancel(id);
    world.cancel(100);
    if (id < 20) {
      CHECK(world.submit(id + 1));
    }
  };
  REQUIRE(world.submit(1));
  CHECK(world.good(20));
  CHECK(world.server.peers.size() == 1);
}

TEST_CASE("a client goes with all that is under way") {
  World world;
  world.use(world.server.url());
  REQUIRE(world.submit(1));
  CHECK(world.good(1));
  world.server.script = [](HttpServer::Peer&, const std::string&) {};
  REQUIRE(world.submit(2));
  REQUIRE(world.submit(3));
  net::run_until(world.loop, [&world] { return world.server.requests.size() == 3; });
  world.client.reset();
  net::run_until(world.loop, [&world] { return world.server.open() == 0; });
  CHECK(world.results.size() == 1);
}

TEST_CASE("https: the service proves who it is, and connections are kept as well") {
  auto server =
      tls::ServerContext::create({.certificates = {tls::authority().issue({.names = {"IP:127.0.0.1"}})}});
  REQUIRE(server.has_value());
  for (const bool trusted : {true, false}) {
    World world;
    HttpServer https(
        world.loop, [](HttpServer::Peer& peer, const std::string&) { peer.say(http_ok("A: b\r\n")); },
        *server);
    auto context = trusted ? tls::ClientContext::create({.ca_file = tls::authority().root_file()})
                           : tls::ClientContext::create({});
    REQUIRE(context.has_value());
    world.use(https.url(), 10, *context);
    REQUIRE(world.submit(1));
    if (trusted) {
      CHECK(world.good(1));
      REQUIRE(world.submit(2));
      CHECK(world.good(2));
      CHECK(https.peers.size() == 1);
    } else {
      CHECK(world.failure(1) == HttpFailure::Kind::Unreachable);
      CHECK(https.requests.empty());
    }
  }
}

TEST_CASE("a service without TLS gets nothing where https is meant") {
  World world;
  conf::Url url = world.server.url();
  url.tls = true;
  auto context = tls::ClientContext::create({.verify = false});
  REQUIRE(context.has_value());
  world.use(url, 10, *context);
  REQUIRE(world.submit(1, 200ms));
  CHECK(world.failure(1) != HttpFailure::Kind::Malformed);
  CHECK(world.server.requests.empty());
}

}  // namespace
}  // namespace postern::auth
