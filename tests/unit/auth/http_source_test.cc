#include "proxy/auth/http_source.h"

#include <doctest/doctest.h>
#include <string>

#include "tests/unit/auth/http_server.h"
#include "tests/unit/net/pair.h"

namespace postern::auth {
namespace {

using namespace std::chrono_literals;

struct World {
  net::Loop loop{{}};
  std::vector<Answer> answers;
  HttpServer server{loop, [this](HttpServer::Peer& peer, const std::string&) { peer.say(reply); }};
  std::string reply = http_ok("Auth-Status: OK\r\n");
  std::optional<HttpSource> source;
  conf::HttpSource settings{.url = server.url("/auth"), .ca_file = {}, .headers = {}};

  void start() {
    source.emplace(loop, settings, nullptr, net::kServiceSlots,
                   [this](Answer answer) { answers.push_back(std::move(answer)); });
  }
  bool ask(std::uint32_t slot,
           Credentials credentials = {
               .mechanism = Mechanism::Plain, .user = "ann", .authorization = {}, .password = Secret("pw")}) {
    Question question;
    question.ticket = {.slot = slot, .generation = 5};
    question.credentials = &credentials;
    question.client = *Endpoint::parse("192.0.2.7:1000");
    return source->ask(question);
  }
  const Answer& answer(std::size_t number = 1) {
    net::run_until(loop, [this, number] { return answers.size() >= number; });
    return answers[number - 1];
  }
};

TEST_CASE("a question is asked, and its answer comes with its ticket") {
  World world;
  world.start();
  REQUIRE(world.ask(7));
  CHECK(world.answers.empty());
  CHECK(world.answer().kind == Answer::Kind::Accepted);
  CHECK(world.answer().ticket == net::AnswerTicket{.slot = 7, .generation = 5});
  CHECK(world.server.requests.at(0).starts_with("GET /auth HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(world.server.requests.at(0).contains("\r\nAuth-User: ann\r\nAuth-Pass: pw\r\n"));
  CHECK(world.source->under_way() == 0);
  world.reply = http_ok("Auth-Status: No\r\nAuth-Wait: 3\r\n");
  REQUIRE(world.ask(7));
  CHECK(world.answer(2).refusal == Refusal{Fault::BadCredentials, "", "No"});
  CHECK(world.answer(2).wait == 3s);
  CHECK(world.server.peers.size() == 1);
}

TEST_CASE("a service that fails is never a wrong password") {
  struct Row {
    const char* what;
    std::string reply;  // empty: hangs up
    Fault fault;
  };
  const Row rows[] = {
      {"hangs up", "", Fault::AuthUnavailable},
      {"500", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", Fault::AuthUnavailable},
      {"404 with a page", "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nx=y", Fault::AuthUnavailable},
      {"no HTTP", "-ERR\r\n", Fault::AuthProtocol},
      {"200 of another service", http_ok("", "<html>"), Fault::AuthProtocol},
      {"half a header", "HTTP/1.1 200 OK\r\nAuth-Status: Inv", Fault::AuthProtocol},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.what));
    World world;
    world.start();
    world.server.script = [&row](HttpServer::Peer& peer, const std::string&) {
      peer.say(row.reply);
      peer.hang_up();
    };
    REQUIRE(world.ask(1));
    CHECK(world.answer().kind == Answer::Kind::Refused);
    CHECK(world.answer().refusal.fault == row.fault);
    CHECK(world.answer().refusal.text.empty());
    CHECK_FALSE(world.answer().detail.empty());
    CHECK_FALSE(world.answer().close);
  }
  World mute;
  mute.settings.timeout = 100ms;
  mute.start();
  mute.server.script = [](HttpServer::Peer&, const std::string&) {};
  REQUIRE(mute.ask(1));
  CHECK(mute.answer().refusal.fault == Fault::AuthUnavailable);
  CHECK(mute.answer().detail.ends_with("no complete answer in time"));
}

TEST_CASE("WAIT asks the same again, at once ten times at most") {
  World world;
  world.start();
  world.reply = http_ok("Auth-Status: WAIT\r\n");
  REQUIRE(world.ask(1));
  CHECK(world.answer().refusal.fault == Fault::AuthUnavailable);
  CHECK(world.answer().detail == "Auth-Status was WAIT 10 times");
  REQUIRE(world.server.requests.size() == 10);
  for (const std::string& request : world.server.requests) CHECK(request == world.server.requests[0]);

  world.server.script = [&world](HttpServer::Peer& peer, const std::string&) {
    peer.say(http_ok(world.server.requests.size() < 14 ? "Auth-Status: WAIT\r\nAuth-Wait: 0\r\n"
                                                       : "Auth-Status: OK\r\n"));
  };
  REQUIRE(world.ask(1));
  CHECK(world.answer(2).kind == Answer::Kind::Accepted);
}

TEST_CASE("WAIT waits as long as it says, and not beyond the question's time") {
  World world;
  world.start();
  world.server.script = [&world](HttpServer::Peer& peer, const std::string&) {
    peer.say(http_ok(world.server.requests.size() == 1 ? "Auth-Status: WAIT\r\nAuth-Wait: 1\r\n"
                                                       : "Auth-Status: OK\r\n"));
  };
  const Time began = std::chrono::steady_clock::now();
  REQUIRE(world.ask(1));
  CHECK(world.answer().kind == Answer::Kind::Accepted);
  CHECK(std::chrono::steady_clock::now() - began >= 1s);

  world.server.script = [](HttpServer::Peer& peer, const std::string&) {
    peer.say(http_ok("Auth-Status: WAIT\r\nAuth-Wait: 5\r\n"));
  };
  REQUIRE(world.ask(1));
  CHECK(world.answer(2).refusal.fault == Fault::AuthUnavailable);
  CHECK(world.answer(2).detail == "Auth-Wait: 5 ends after the timeout of the question");
}

TEST_CASE("questions that wait between two rounds count, and can be cancelled") {
  World world;
  world.settings.in_flight = 2;
  world.start();
  world.reply = http_ok("Auth-Status: WAIT\r\nAuth-Wait: 1\r\n");
  REQUIRE(world.ask(1));
  REQUIRE(world.ask(2));
  CHECK_FALSE(world.ask(1));  // this one is under way
  net::run_until(world.loop, [&world] { return world.server.requests.size() == 2; });
  CHECK_FALSE(world.ask(3));
  world.source->cancel({.slot = 1, .generation = 4});  // another tenant
  CHECK_FALSE(world.ask(3));
  world.source->cancel({.slot = 1, .generation = 5});
  world.source->cancel({.slot = 2, .generation = 5});
  CHECK(world.source->under_way() == 0);
  world.reply = http_ok("Auth-Status: OK\r\n");
  REQUIRE(world.ask(3));
  CHECK(world.answer().ticket.slot == 3);
  CHECK(world.answers.size() == 1);
}

TEST_CASE("a thousand questions to a mute service: as many as may be, and the rest is refused at once") {
  World world;
  world.settings.in_flight = 10;
  world.settings.timeout = 200ms;
  world.start();
  world.server.script = [](HttpServer::Peer&, const std::string&) {};
  unsigned taken = 0;
  for (std::uint32_t slot = 0; slot < 1000; ++slot) taken += world.ask(slot) ? 1U : 0U;
  CHECK(taken == 10);
  CHECK(world.answer(10).refusal.fault == Fault::AuthUnavailable);
  CHECK(world.answers.size() == 10);
  CHECK(world.source->under_way() == 0);
}

TEST_CASE("whoever asks to act for another is refused here: the contract cannot say it") {
  World world;
  world.start();
  REQUIRE(world.ask(
      1, {.mechanism = Mechanism::Plain, .user = "ann", .authorization = "bob", .password = Secret("pw")}));
  CHECK(world.answers.empty());
  CHECK(world.answer().refusal.fault == Fault::NotAuthorized);
  REQUIRE(world.ask(
      1, {.mechanism = Mechanism::External, .user = "ann", .authorization = "ann", .password = Secret()}));
  CHECK(world.answer(2).kind == Answer::Kind::Accepted);
  CHECK(world.server.requests.size() == 1);
}

TEST_CASE("no mechanism is relayed") {
  World world;
  world.start();
  CHECK(world.source->mechanisms().empty());
  CHECK_FALSE(world.ask(
      1,
      {.mechanism = Mechanism::Relayed, .user = {}, .authorization = {}, .password = {}, .sasl_name = "X"}));
  world.source->respond({.slot = 1, .generation = 5}, Secret("x"));
  CHECK(world.source->under_way() == 0);
}

}  // namespace
}  // namespace postern::auth
