#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// Sources of identity as the session meets them: an HTTP service is played here, byte for byte.

namespace postern::sim {

namespace {

constexpr std::string_view kHttp = R"(
[auth]
by = "http"
mechanisms = ["plain", "login", "xoauth2"]
allowed_hosts = ["198.51.100.0/24"]
[auth.http]
url = "http://192.0.2.200/auth"
timeout = "3s"
)";

// The client has sent its login, and the service has been asked.
Peer& ask(World& world, std::string_view login) {
  greet(world);
  world.client.send(login);
  world.settle();
  REQUIRE(world.stores.size() == 1);
  CHECK(world.dialled[0].to_string() == "192.0.2.200:80");
  return *world.stores[0];
}

// The session that has ended had one login, which was refused.
void check_refused_once(World& world) {
  const std::string log = world.log_line();
  const std::size_t line = log.find("msg=login_refused");
  REQUIRE(line != std::string::npos);
  CHECK(log.find("msg=login_refused", line + 1) == std::string::npos);
  CHECK(log.find(" user=bob ", line) != std::string::npos);
  CHECK(log.find(" fault=bad_credentials ", line) != std::string::npos);
}

const std::string kToken =
    "a AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rZW4BAQ==\r\n";  // bob, token

}  // namespace

TEST_CASE("the source lets in, and the route gives the pool") {
  World world(config(kImap, kTwoStores, kHttp));
  Peer& service = ask(world, kLogin);
  CHECK(service.received.find("Auth-User: bob\r\n") != std::string::npos);
  CHECK(service.received.find("Auth-Pass: secret\r\n") != std::string::npos);
  CHECK(world.stores.size() == 1);  // no store is dialled before the answer
  service.send(http_answer("Auth-Status: OK\r\n"));
  world.settle();
  REQUIRE(world.stores.size() == 2);
  world.stores[1]->send(kGreeting);
  world.settle();
  CHECK(take(*world.stores[1]) == "L LOGIN \"bob\" \"secret\"\r\n");
  world.stores[1]->send(kStoreOk);
  world.settle();
  CHECK(take(world.client) == kClientOk);
}

TEST_CASE("a store that the source names is dialled inside allowed_hosts, with the password that it gave") {
  World world(config(kImap, kTwoStores, kHttp));
  Peer& service = ask(world, kLogin);
  service.send(
      http_answer("Auth-Status: OK\r\nAuth-Server: 198.51.100.7\r\nAuth-Port: 1143\r\n"
                  "Auth-User: robert\r\nAuth-Pass: other\r\n"));
  world.settle();
  REQUIRE(world.dialled.size() == 2);
  CHECK(world.dialled[1].to_string() == "198.51.100.7:1143");
  world.stores[1]->send(kGreeting);
  world.settle();
  CHECK(take(*world.stores[1]) == "L LOGIN \"robert\" \"other\"\r\n");
  world.stores[1]->send(kStoreOk);
  world.settle();
  world.client.send("b LOGOUT\r\n");
  world.client.finish();
  world.settle();
  world.stores[1]->finish();
  world.settle();
  REQUIRE(world.over());
  const std::string line = world.log_line();
  CHECK(line.find(" user=bob ") != std::string::npos);
  CHECK(line.find(" backend=198.51.100.7 ") != std::string::npos);
}

TEST_CASE("a password that the source gave and the store refuses is not the user's mistake") {
  World world(config(kImap, kTwoStores, kHttp));
  Peer& service = ask(world, kLogin);
  service.send(http_answer("Auth-Status: OK\r\nAuth-User: robert\r\nAuth-Pass: other\r\n"));
  world.settle();
  REQUIRE(world.stores.size() == 2);
  world.stores[1]->send(kGreeting);
  world.settle();
  CHECK(take(*world.stores[1]) == "L LOGIN \"robert\" \"other\"\r\n");
  SUBCASE("a refusal is the configuration's, and at once") {
    world.stores[1]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
    world.settle();
    CHECK(take(world.client) == "a NO [SERVERBUG] Account is temporarily unavailable.\r\n");
  }
  SUBCASE("the words of an alert reach the user") {
    world.stores[1]->send("L NO [ALERT] Pay your bill.\r\n");
    world.settle();
    CHECK(take(world.client) == "a NO [ALERT] Pay your bill.\r\n");
  }
}

TEST_CASE("a store outside allowed_hosts is never dialled, whatever its name") {
  World world(config(kImap, kTwoStores, kHttp));
  world.names["mail.example.net"] = {*Address::parse("203.0.113.1")};
  std::string host;
  SUBCASE("an address") { host = "203.0.113.1"; }
  SUBCASE("a name") { host = "mail.example.net"; }
  Peer& service = ask(world, kLogin);
  service.send(http_answer("Auth-Status: OK\r\nAuth-Server: " + host + "\r\nAuth-Port: 143\r\n"));
  world.settle();
  world.pass(std::chrono::milliseconds(100));
  CHECK(world.dialled.size() == 1);
  CHECK(take(world.client).starts_with("a NO [SERVERBUG] "));
}

TEST_CASE("a source that falls silent is an outage, never a wrong password") {
  World world(config(kImap, kTwoStores, kHttp));
  ask(world, kLogin);
  world.pass(std::chrono::seconds(4));
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  CHECK_FALSE(world.over());
}

TEST_CASE("a client that leaves takes its question with it") {
  World world(config(kImap, kTwoStores, kHttp));
  Peer& service = ask(world, kLogin);
  world.client.reset();
  world.settle();
  CHECK(world.over());
  CHECK(service.session_closed);
}

TEST_CASE("the service's words and wish to wait reach the client") {
  World world(config(kImap, kTwoStores, std::string(kHttp) + "[limits]\nfailure_delay = \"0s\"\n"));
  Peer& service = ask(world, kLogin);
  SUBCASE("with a wait the client may try again") {
    service.send(http_answer("Auth-Status: Go away\r\nAuth-Wait: 3\r\n"));
    world.settle();
    CHECK(take(world.client).empty());
    world.pass(std::chrono::seconds(4));
    CHECK(take(world.client).find("Go away") != std::string::npos);
    CHECK_FALSE(world.over());
  }
  SUBCASE("without one it is closed") {
    service.send(http_answer("Auth-Status: Go away\r\n"));
    world.settle();
    CHECK(take(world.client).find("Go away") != std::string::npos);
    CHECK(world.client.session_finished);
  }
}

TEST_CASE("a token's error is told, heard, and then the login is refused") {
  World world(config(kImap, kTwoStores, std::string(kHttp) + "[limits]\nfailure_delay = \"0s\"\n"));
  Peer& service = ask(world, kToken);
  service.send(http_answer(
      "Auth-Status: Invalid token\r\nAuth-Wait: 1\r\nAuth-Error-SASL: eyJzdGF0dXMiOiI0MDEifQ==\r\n"));
  world.settle();
  CHECK(take(world.client) == "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n");
  SUBCASE("the client answers") {
    world.client.send("\r\n");
    world.pass(std::chrono::seconds(2));
    CHECK(take(world.client).starts_with("a NO "));
  }
  SUBCASE("the client gives up, is told so once, and may try again when its time is over") {
    world.client.send("*\r\nb NOOP\r\n");
    world.pass(std::chrono::milliseconds(900));
    CHECK(take(world.client) == "a BAD Authentication cancelled.\r\n");
    world.pass(std::chrono::milliseconds(200));
    CHECK(take(world.client).starts_with("b OK "));
  }
  CHECK_FALSE(world.over());
  world.client.finish();
  world.settle();
  REQUIRE(world.over());
  check_refused_once(world);
}

TEST_CASE("a token that was refused counts, though the client leaves instead of answering") {
  World world(config(kImap, kTwoStores, kHttp));
  Peer& service = ask(world, kToken);
  service.send(http_answer(
      "Auth-Status: Invalid token\r\nAuth-Wait: 1\r\nAuth-Error-SASL: eyJzdGF0dXMiOiI0MDEifQ==\r\n"));
  world.settle();
  world.client.reset();
  world.settle();
  REQUIRE(world.over());
  check_refused_once(world);
}

TEST_CASE("a service's wish to end the session holds, though the client gives up") {
  World world(config(kImap, kTwoStores, std::string(kHttp) + "[limits]\nfailure_delay = \"0s\"\n"));
  Peer& service = ask(world, kToken);
  service.send(http_answer("Auth-Status: Invalid token\r\nAuth-Error-SASL: eyJzdGF0dXMiOiI0MDEifQ==\r\n"));
  world.settle();
  take(world.client);
  world.client.send("*\r\n");
  world.settle();
  const std::string words = take(world.client);
  CHECK(words.starts_with("a BAD Authentication cancelled.\r\n* BYE "));
  CHECK(words.find("a NO") == std::string::npos);
  CHECK(world.client.session_finished);
}

TEST_CASE("the log of a refusal says nothing of the attempt before") {
  World world(config(kImap, kTwoStores, std::string(kHttp) + "[limits]\nfailure_delay = \"0s\"\n"));
  Peer& service = ask(world, kLogin);
  service.send(http_answer("Auth-Status: OK\r\n"));
  world.settle();
  world.stores[1]->send(kGreeting);
  world.settle();
  world.stores[1]->send("L NO [AUTHENTICATIONFAILED] no\r\n");
  world.settle();
  CHECK(take(world.client).starts_with("a NO "));
  world.client.send("b LOGIN ann secret\r\n");
  world.settle();
  service.send(http_answer("Auth-Status: no\r\n"));
  world.settle();
  CHECK(take(world.client).starts_with("b NO "));
  world.client.finish();
  world.settle();
  REQUIRE(world.over());
  const std::string log = world.log_line();
  const std::size_t first = log.find("msg=login_refused");
  const std::size_t second = log.find("msg=login_refused", first + 1);
  REQUIRE(second != std::string::npos);
  CHECK(log.substr(first, second - first).find("backend=s") != std::string::npos);
  const std::string line = log.substr(second, log.find('\n', second) - second);
  CAPTURE(line);
  CHECK(line.find(" user=ann ") != std::string::npos);
  CHECK(line.find("pool=store") == std::string::npos);
  CHECK(line.find("backend=s") == std::string::npos);
  CHECK(line.find("refused the login") == std::string::npos);
}

TEST_CASE("the store's challenge to a token goes to the client, and its answer to the store") {
  World world(
      config(kImap, kTwoStores, "[auth]\nmechanisms = [\"xoauth2\"]\n[limits]\nfailure_delay = \"0s\"\n"));
  world.snapshot()->capabilities->learn(world.snapshot()->pools[0].members->backends()[0], Protocol::Imap,
                                        "IMAP4rev1 AUTH=XOAUTH2 SASL-IR");
  greet(world);
  world.client.send(kToken);
  world.settle();
  REQUIRE(world.stores.size() == 1);
  Peer& store = *world.stores[0];
  store.send("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready\r\n");
  world.settle();
  CHECK(take(store) == "L AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rZW4BAQ==\r\n");
  store.send("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n");
  world.settle();
  CHECK(take(world.client) == "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n");
  SUBCASE("it answers") {
    world.client.send("\r\n");
    world.settle();
    CHECK(take(store) == "\r\n");
    store.send("L NO [AUTHENTICATIONFAILED] no\r\n");
    world.settle();
    CHECK(take(world.client) == "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  }
  SUBCASE("it gives up") {
    world.client.send("*\r\nb NOOP\r\n");
    world.settle();
    CHECK(store.session_closed);
    const std::string words = take(world.client);
    CHECK(words.starts_with("a BAD Authentication cancelled.\r\nb OK "));
  }
  world.client.finish();
  world.settle();
  REQUIRE(world.over());
  check_refused_once(world);
}

TEST_CASE("a token without a name goes to no store, for nobody could say whose home it is") {
  World world(config(kImap, kTwoStores,
                     "[auth]\nmechanisms = [\"oauthbearer\"]\n[limits]\nfailure_delay = \"0s\"\n"));
  world.snapshot()->capabilities->learn(world.snapshot()->pools[0].members->backends()[0], Protocol::Imap,
                                        "IMAP4rev1 AUTH=OAUTHBEARER SASL-IR");
  greet(world);
  world.client.send("a AUTHENTICATE OAUTHBEARER biwsAWF1dGg9QmVhcmVyIHRva2VuAQE=\r\n");
  world.settle();
  CHECK(world.dialled.empty());
  CHECK(take(world.client) == "a NO [AUTHENTICATIONFAILED] The token must come with a user name.\r\n");
  world.client.finish();
  world.settle();
  REQUIRE(world.over());
  CHECK(world.log_line().find("the client named no user") != std::string::npos);
}

TEST_CASE("who acts as another is routed by the other, and only where the pool allows it") {
  const std::string plain = "a AUTHENTICATE PLAIN YW5uAGJvYgBzZWNyZXQ=\r\n";  // ann, bob, secret
  SUBCASE("allowed") {
    World world(config(kImap, R"(
[pool.store]
forward = []
authorization = true
[pool.store.backends]
s1 = "192.0.2.101"
)"));
    greet(world);
    world.client.send(plain);
    world.settle();
    world.stores[0]->send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n");
    world.settle();
    CHECK(take(*world.stores[0]) == "L AUTHENTICATE PLAIN YW5uAGJvYgBzZWNyZXQ=\r\n");
  }
  SUBCASE("not allowed") {
    World world(config(kImap, kTwoStores, "[limits]\nfailure_delay = \"0s\"\n"));
    greet(world);
    world.client.send(plain);
    world.settle();
    CHECK(take(world.client).starts_with("a NO [AUTHORIZATIONFAILED] "));
    CHECK(world.dialled.empty());
  }
}

}  // namespace postern::sim
