#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// The store says who the user is, and a policy service has a word before and after. Both are played here,
// byte for byte.

namespace postern::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kPolicy = R"(
[limits]
failure_delay = "0s"
login_time = "20s"
[auth.policy]
url = "http://192.0.2.200/?x=1"
nonce = "n"
timeout = "3s"
)";

std::string says(int status) {
  const std::string body = R"({"status":)" + std::to_string(status) + R"(,"msg":"words"})";
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr std::string_view kRefused = "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n";

// A login that the service has let pass and the store has accepted: the service has the second question.
class Scene {
 public:
  explicit Scene(std::string_view more = "", std::string_view policy = kPolicy)
      : world(config(kImap, kTwoStores, std::string(policy) + std::string(more))) {
    greet(world);
    world.client.send(kLogin);
    world.settle();
    REQUIRE(world.stores.size() == 1);
    CHECK(take(service()).find("command=allow") != std::string::npos);
    service().send(says(0));
    world.settle();
    REQUIRE(world.stores.size() == 2);
    store().send(kGreeting);
    world.settle();
    take(store());
    store().send(std::string(kStoreOk) + "* OK early\r\n");
    world.settle();
  }

  Peer& service() { return *world.stores[0]; }
  Peer& store() { return *world.stores[1]; }
  std::string end_of_session() {
    world.client.finish();
    world.settle();
    world.pass(seconds(5));
    REQUIRE(world.over());
    return world.log_line();
  }
  // As many connections as the service has by now.
  std::size_t count(std::string_view words) const {
    std::size_t found = 0;
    for (const auto& peer : world.stores) {
      for (std::size_t at = peer->received.find(words); at != std::string::npos;
           at = peer->received.find(words, at + 1)) {
        ++found;
      }
    }
    return found;
  }

  World world;
};

}  // namespace

TEST_CASE("the service is asked again when the store has let the user in, and the client hears of it then") {
  Scene scene;
  CHECK(scene.count("command=allow") == 1);
  CHECK(take(scene.world.client).empty());
  scene.store().send("* OK later\r\n");
  scene.world.settle();
  CHECK(scene.store().to_session == "* OK later\r\n");
  scene.service().send(says(0));
  scene.world.settle();
  CHECK(take(scene.world.client) == std::string(kClientOk) + "* OK early\r\n* OK later\r\n");
  CHECK(scene.count("command=report") == 1);
  CHECK(scene.count("\"success\":true") == 1);
  const observe::PolicyMetrics& counted = scene.world.counted().policy;
  CHECK(counted.answers[static_cast<std::size_t>(observe::PolicyResult::Allowed)].value() == 2);
  scene.world.client.send("b NOOP\r\n");
  scene.world.settle();
  CHECK(take(scene.store()) == "b NOOP\r\n");
}

TEST_CASE("a refusal behind the store's word is told as any other, once, and the store's connection ends") {
  Scene scene;
  scene.service().send(says(-1));
  scene.world.settle();
  CHECK(take(scene.world.client) == kRefused);
  CHECK(scene.store().session_closed);
  CHECK(scene.count("command=report") == 1);
  CHECK(scene.count("\"policy_reject\":true") == 1);
  CHECK(scene.count("\"success\":false") == 1);
  const std::string line = scene.end_of_session();
  CHECK(line.find("msg=login_refused") != std::string::npos);
  CHECK(line.find("fault=policy_refused") != std::string::npos);
  CHECK(line.find("the policy service refused: words") != std::string::npos);
  CHECK(scene.count("command=report") == 1);
}

TEST_CASE("a hold behind the store's word holds the answer") {
  Scene scene;
  scene.service().send(says(2));
  scene.world.pass(milliseconds(1900));
  CHECK(take(scene.world.client).empty());
  CHECK(scene.count("command=report") == 0);
  scene.world.pass(milliseconds(200));
  CHECK(take(scene.world.client).starts_with(kClientOk));
}

TEST_CASE("a service that falls silent behind the store's word lets in, or refuses where that is wanted") {
  bool refuses = false;
  SUBCASE("lets in") { refuses = false; }
  SUBCASE("refuses") { refuses = true; }
  Scene scene(refuses ? "reject_on_failure = true\n" : "");
  scene.world.pass(milliseconds(2900));
  CHECK(take(scene.world.client).empty());
  scene.world.pass(milliseconds(200));
  if (refuses) {
    CHECK(take(scene.world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
    CHECK(scene.store().session_closed);
    CHECK(scene.count("command=report") == 0);
  } else {
    CHECK(take(scene.world.client).starts_with(kClientOk));
    CHECK_FALSE(scene.store().session_closed);
  }
}

TEST_CASE("a client that leaves while the service is asked again takes the store's connection with it") {
  Scene scene;
  scene.world.client.reset();
  scene.world.settle();
  REQUIRE(scene.world.over());
  CHECK(scene.store().session_closed);
  CHECK(scene.service().session_closed);
  CHECK(scene.world.log_line().find(" end=CU ") != std::string::npos);
}

TEST_CASE("what a client pipelines while the service is asked again reaches the store") {
  Scene scene;
  scene.world.client.send("b NOOP\r\n");
  scene.world.settle();
  CHECK(take(scene.store()).empty());
  scene.service().send(says(0));
  scene.world.settle();
  CHECK(take(scene.store()) == "b NOOP\r\n");
}

TEST_CASE("a hold that would outlast the time for a login ends before it") {
  Scene scene;
  scene.service().send(says(30));
  scene.world.pass(milliseconds(18900));
  CHECK(take(scene.world.client).empty());
  scene.world.pass(milliseconds(200));
  CHECK(take(scene.world.client).starts_with(kClientOk));
}

TEST_CASE("a second question that would outlast the time for a login counts as unanswered before it") {
  std::string slow(kPolicy);
  slow.replace(slow.find("\"3s\""), 4, "\"30s\"");
  Scene scene("", slow);
  scene.world.pass(milliseconds(18900));
  CHECK(take(scene.world.client).empty());
  scene.world.pass(milliseconds(200));
  CHECK(take(scene.world.client).starts_with(kClientOk));
}

TEST_CASE("a shutdown ends the second question") {
  Scene scene;
  scene.world.dismiss(Fault::ShuttingDown);
  scene.world.settle();
  CHECK(take(scene.world.client).starts_with("* BYE "));
  CHECK(scene.store().session_closed);
  scene.world.pass(seconds(8));
  CHECK(scene.world.over());
  CHECK(scene.count("command=report") == 0);
}

TEST_CASE("a store that breaks off while the service is asked is noticed behind the answer") {
  Scene scene;
  scene.store().reset();
  scene.world.settle();
  scene.service().send(says(0));
  scene.world.pass(seconds(3));
  CHECK(take(scene.world.client).starts_with(kClientOk));
  CHECK(scene.world.over());
}

}  // namespace postern::sim
