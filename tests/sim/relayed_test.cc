#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// Mechanisms that pass through to Dovecot, challenge by challenge: only it knows whom they are about.

namespace postern::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kDovecot = R"(
[limits]
failure_delay = "2s"
login_attempts = 10
[auth]
by = "dovecot"
mechanisms = ["plain", "cram-md5"]
dovecot = { socket = "192.0.2.200:12345" }
[auth.policy]
url = "http://192.0.2.210/"
nonce = "n"
)";

// The client has tried a password, and Dovecot says that it was wrong.
void guess(World& world, Peer& dovecot) {
  take(dovecot);
  world.client.send("a AUTHENTICATE CRAM-MD5\r\n");
  world.settle();
  const std::string question = take(dovecot);
  REQUIRE(question.starts_with("AUTH\t"));
  const std::string id = question.substr(5, question.find('\t', 5) - 5);
  dovecot.send("CONT\t" + id + "\tPDFAeD4=\n");
  world.settle();
  CHECK(take(world.client) == "+ PDFAeD4=\r\n");
  world.client.send("Ym9iIDEyMzQ=\r\n");
  world.settle();
  dovecot.send("FAIL\t" + id + "\tuser=bob\n");
  world.settle();
}

}  // namespace

TEST_CASE("who guesses by a relayed mechanism waits longer each time, is named in the log and reported") {
  World world(config(kImap, kTwoStores, kDovecot));
  Peer& dovecot = *world.stores.at(0);
  world.settle();
  dovecot.send(
      "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\nSPID\t1\nCUID\t1\n"
      "COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n");
  world.settle();
  greet(world);
  for (const auto wait : {milliseconds(2000), milliseconds(4000), milliseconds(8000)}) {
    guess(world, dovecot);
    world.pass(wait - milliseconds(100));
    CHECK(take(world.client).empty());
    world.pass(milliseconds(200));
    CHECK(take(world.client) == "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  }
  REQUIRE(world.stores.size() > 1);
  const std::string& told = world.stores[1]->received;
  CHECK(told.find("command=report") != std::string::npos);
  CHECK(told.find(R"("login":"bob")") != std::string::npos);
  CHECK(told.find(R"("success":false)") != std::string::npos);
  world.client.finish();
  world.settle();
  REQUIRE(world.over());
  const std::string log = world.log_line();
  const std::size_t line = log.find("msg=login_refused");
  REQUIRE(line != std::string::npos);
  CHECK(log.find(" user=bob ", line) < log.find('\n', line));
}

}  // namespace postern::sim
