#include "proxy/auth/dovecot_source.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>

#include "tests/temporary_directory.h"
#include "tests/unit/auth/dovecot_world.h"

namespace postern::auth {

namespace {

constexpr std::string_view kFirstBlock =
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tEXTERNAL\nMECH\tXOAUTH2\nMECH\tCRAM-"
    "MD5\tdictionary\tactive\n"
    "MECH\tSCRAM-SHA-256\nMECH\tSCRAM-SHA-256-PLUS\tchannel-binding\nMECH\tDOVECOT-"
    "TOKEN\tprivate\nMECH\tAPOP\n"
    "MECH\tbad name\nSPID\t1\nCUID\t2\nCOOKIE\t00\nDONE\n";

// The source and a service that the test plays.
struct Stage {
  explicit Stage(Duration timeout = std::chrono::seconds(10), unsigned in_flight = 200, bool local = false,
                 Duration renewal = std::chrono::minutes(1))
      : peer_holder(local ? std::make_unique<FakePeer>(folder / "socket") : std::make_unique<FakePeer>()),
        peer(*peer_holder) {
    peer.start();
    world = std::make_unique<DovecotWorld>(
        conf::DovecotSource{peer.path(), "127.0.0.1", peer.port(), timeout, in_flight}, renewal);
  }

  void until(const std::function<bool()>& done) {
    world->until([this, &done] {
      peer.step();
      return done();
    });
  }
  FakePeer::Connection& connection() { return peer.connections.back(); }
  bool heard(std::string_view text) {
    return !peer.connections.empty() && connection().received.contains(text);
  }
  void hear(std::string_view text) {
    until([this, text] { return heard(text); });
  }
  void connect(std::size_t connections = 1) {
    until([this, connections] { return peer.connections.size() == connections && heard("CPID\t"); });
    connection().say(kFirstBlock);
    until([this] { return world->source.connected(); });
  }
  Answer answer(std::uint32_t slot) {
    if (!world->answered(slot)) until([this, slot] { return world->answered(slot); });
    return world->take(slot);
  }

  TemporaryDirectory folder;
  std::unique_ptr<FakePeer> peer_holder;
  FakePeer& peer;
  std::unique_ptr<DovecotWorld> world;
};

}  // namespace

TEST_CASE("the connection is made at once, and the mechanisms are told") {
  for (const bool local : {false, true}) {
    CAPTURE(local);
    Stage stage(Duration(10000), 200, local);
    stage.connect();
    CHECK(stage.connection().received.starts_with("VERSION\t1\t2\nCPID\t"));
    CHECK(stage.world->source.mechanisms() == std::vector<std::string>{"CRAM-MD5", "SCRAM-SHA-256"});
    CHECK(stage.world->source.trouble().empty());
  }
}

TEST_CASE("a name of a host is looked up") {
  FakePeer peer;
  peer.start();
  DovecotWorld world(conf::DovecotSource{"", "localhost", peer.port(), Duration(10000), 10});
  world.until([&peer] {
    peer.step();
    return !peer.connections.empty();
  });
}

TEST_CASE("answers find their question in any order, and one connection serves all") {
  Stage stage;
  stage.connect();
  for (std::uint32_t slot = 1; slot <= 3; ++slot) CHECK(stage.world->ask_plain(slot));
  stage.hear("AUTH\t3\tPLAIN");
  stage.connection().say("OK\t3\tuser=three\nFAIL\t1\tuser=bob\nOK\t2\tuser=two\tpool=blue\n");
  CHECK(stage.answer(3).destination.user == "three");
  CHECK(stage.answer(1).refusal.fault == Fault::BadCredentials);
  const Answer second = stage.answer(2);
  CHECK(second.destination.user == "two");
  CHECK(second.destination.pool == "blue");
  CHECK(second.ticket == net::AnswerTicket{2, 1});
  CHECK(stage.peer.connections.size() == 1);
}

TEST_CASE("a question waits for a connection that is on its way") {
  Stage stage;
  CHECK(stage.world->ask_plain(1));
  CHECK(stage.world->answers.empty());
  stage.connect();
  stage.hear("AUTH\t1\tPLAIN");
  stage.connection().say("OK\t1\tuser=bob\n");
  CHECK(stage.answer(1).kind == Answer::Kind::Accepted);
}

TEST_CASE("without a service a question ends soon, and all that while it is tried again") {
  Stage stage;
  stage.peer.stop();
  const Time begun = stage.world->loop.now();
  CHECK(stage.world->ask_plain(1));
  CHECK(stage.answer(1).refusal.fault == Fault::AuthUnavailable);
  CHECK(stage.world->loop.now() - begun < std::chrono::seconds(3));
  CHECK_FALSE(stage.world->source.trouble().empty());
  for (FakePeer::Connection& each : stage.peer.connections) each.close();
  stage.peer.connections.clear();
  stage.peer.start();
  stage.connect();
  CHECK(stage.world->ask_plain(2));
  stage.hear("AUTH\t2\t");
}

TEST_CASE("a challenge goes to the client and its answer back") {
  Stage stage;
  stage.connect();
  CHECK(stage.world->ask_relayed(1, "CRAM-MD5"));
  stage.hear("AUTH\t1\tCRAM-MD5\t");
  CHECK_FALSE(stage.heard("resp="));
  stage.connection().say("CONT\t1\tPDFAeD4=\n");
  const Answer challenge = stage.answer(1);
  CHECK(challenge.kind == Answer::Kind::Challenge);
  CHECK(challenge.challenge == "<1@x>");
  stage.world->source.respond({1, 1}, Secret("bob 1234"));
  stage.hear("CONT\t1\tYm9iIDEyMzQ=\n");
  stage.connection().say("OK\t1\tuser=bob\n");
  CHECK(stage.answer(1).destination.user == "bob");
}

TEST_CASE("a login that is refused behind the client's back is told when the client has spoken") {
  Stage stage;
  stage.connect();
  for (const std::uint32_t slot : {1U, 2U, 3U}) {
    CHECK(stage.world->ask_relayed(slot, "CRAM-MD5"));
    stage.hear("AUTH\t" + std::to_string(slot));
    stage.connection().say("CONT\t" + std::to_string(slot) + "\t\n");
    CHECK(stage.answer(slot).kind == Answer::Kind::Challenge);
  }
  CHECK(stage.world->ask_plain(4));
  stage.hear("AUTH\t4");
  stage.connection().say("FAIL\t1\tauthz\nOK\t2\tuser=eve\nOK\t4\tuser=bob\n");
  stage.answer(4);
  stage.connection().close();
  stage.until([&stage] { return !stage.world->source.connected(); });
  CHECK(stage.world->answers.empty());
  const Fault faults[] = {Fault::NotAuthorized, Fault::AuthProtocol, Fault::AuthUnavailable};
  for (const std::uint32_t slot : {1U, 2U, 3U}) {
    stage.world->source.respond({slot, 1}, Secret("x"));
    CHECK(stage.answer(slot).refusal.fault == faults[slot - 1]);
  }
}

TEST_CASE("a challenge that cannot be passed on ends that login alone") {
  Stage stage;
  stage.connect();
  CHECK(stage.world->ask_plain(1));
  CHECK(stage.world->ask_relayed(2, "CRAM-MD5"));
  CHECK(stage.world->ask_plain(3));
  stage.hear("AUTH\t3");
  stage.connection().say("CONT\t1\t\nCONT\t2\t!!\nOK\t3\tuser=bob\n");
  CHECK(stage.answer(1).refusal.fault == Fault::AuthProtocol);
  CHECK(stage.answer(2).refusal.fault == Fault::AuthProtocol);
  CHECK(stage.answer(3).kind == Answer::Kind::Accepted);
  stage.hear("CANCEL\t1\nCANCEL\t2\n");
}

TEST_CASE("nothing that a client does reaches the connection that all share") {
  Stage stage;
  stage.connect();
  CHECK(stage.world->ask_relayed(1, "NONE"));
  CHECK(stage.world->ask_relayed(2, "CRAM-MD5\nQUIT"));
  CHECK(stage.world->ask_plain(3, "bob", std::string(20000, 'x')));
  CHECK(stage.answer(1).refusal.fault == Fault::AuthUnavailable);
  CHECK(stage.answer(2).refusal.fault == Fault::AuthUnavailable);
  CHECK(stage.answer(3).refusal.fault == Fault::BadCredentials);
  CHECK(stage.world->ask_relayed(4, "CRAM-MD5"));
  stage.hear("AUTH\t4");
  stage.connection().say("CONT\t4\t\n");
  stage.answer(4);
  stage.world->source.respond({4, 1}, Secret(std::string(20000, 'x')));
  CHECK(stage.answer(4).refusal.fault == Fault::BadCredentials);
  stage.hear("CANCEL\t4\n");
  CHECK(std::ranges::count(stage.connection().received, '\n') == 4);
}

TEST_CASE("whoever has gone gets no answer") {
  Stage stage;
  stage.connect();
  CHECK(stage.world->ask_plain(1));
  CHECK(stage.world->ask_plain(2));
  stage.world->source.cancel({1, 1});
  stage.world->source.cancel({1, 1});
  stage.world->source.cancel({9, 1});
  stage.world->source.respond({9, 1}, Secret("x"));
  stage.hear("CANCEL\t1\n");
  stage.connection().say("OK\t1\tuser=eve\nOK\t2\tuser=bob\n");
  CHECK(stage.answer(2).destination.user == "bob");
  CHECK(stage.world->answers.empty());
  CHECK(stage.world->ask_plain(3));
  stage.hear("AUTH\t3\t");
}

TEST_CASE("no more questions than allowed are under way") {
  Stage stage(Duration(10000), 2);
  stage.connect();
  CHECK(stage.world->ask_plain(1));
  CHECK(stage.world->ask_plain(2));
  CHECK_FALSE(stage.world->ask_plain(3));
  stage.world->source.cancel({1, 1});
  CHECK(stage.world->ask_plain(3));
}

TEST_CASE("clients who keep a challenge waiting keep nobody else out") {
  Stage stage(Duration(10000), 2);
  stage.connect();
  for (std::uint32_t slot = 1; slot <= 4; ++slot) {
    CAPTURE(slot);
    REQUIRE(stage.world->ask_relayed(slot, "CRAM-MD5"));
    stage.hear("AUTH\t" + std::to_string(slot) + "\tCRAM-MD5\t");
    stage.connection().say("CONT\t" + std::to_string(slot) + "\tPDFAeD4=\n");
    CHECK(stage.answer(slot).kind == Answer::Kind::Challenge);
  }
  // Those that Dovecot owes an answer count: one that spoke again, and one whose end waits to be told.
  stage.world->source.respond({1, 1}, Secret("bob 1234"));
  stage.connection().say("FAIL\t2\tuser=bob\n");
  stage.world->source.cancel({3, 1});
  CHECK(stage.world->ask_plain(5));
  CHECK_FALSE(stage.world->ask_plain(6));
  stage.hear("AUTH\t5\tPLAIN");
  stage.connection().say("FAIL\t1\nFAIL\t5\n");
  stage.answer(1);
  stage.answer(5);
  stage.world->source.respond({2, 1}, Secret("bob 1234"));
  CHECK(stage.answer(2).refusal.fault == Fault::BadCredentials);
  stage.world->source.cancel({4, 1});
  CHECK(stage.world->ask_plain(7));
  CHECK(stage.world->ask_plain(8));
  CHECK_FALSE(stage.world->ask_plain(9));
}

TEST_CASE("a lost connection ends what was asked, and what comes then goes to the next one") {
  Stage stage;
  stage.connect();
  for (std::uint32_t slot = 1; slot <= 100; ++slot) CHECK(stage.world->ask_plain(slot));
  stage.hear("AUTH\t100\t");
  // Whoever is told may ask again at once, or forget another question.
  stage.world->on_answer = [&stage](const Answer& answer) {
    if (answer.ticket.slot == 1) {
      stage.world->source.cancel({100, 1});
      CHECK(stage.world->ask_plain(101));
    }
  };
  stage.connection().say("OK\t50\tuser=fifty\nOK\t5");
  stage.connection().close();
  stage.until([&stage] { return stage.world->answers.size() == 99; });
  CHECK(stage.answer(50).kind == Answer::Kind::Accepted);
  for (std::uint32_t slot = 1; slot < 100; ++slot) {
    if (slot != 50) CHECK(stage.answer(slot).refusal.fault == Fault::AuthUnavailable);
  }
  stage.connect(2);
  stage.hear("AUTH\t101\t");
  stage.connection().say("OK\t101\tuser=bob\n");
  CHECK(stage.answer(101).kind == Answer::Kind::Accepted);
  CHECK(stage.world->answers.empty());
  const auto client = [&stage](std::size_t i) {
    const std::string& received = stage.peer.connections[i].received;
    return received.substr(0, received.find('\n', received.find("CPID")));
  };
  CHECK(client(0) != client(1));
}

TEST_CASE("an answer of the last connection does not fit a question of this one") {
  Stage stage;
  stage.connect();
  CHECK(stage.world->ask_plain(1));
  stage.hear("AUTH\t1\t");
  stage.connection().close();
  stage.answer(1);
  stage.connect(2);
  CHECK(stage.world->ask_plain(2));
  stage.hear("AUTH\t2\t");
  stage.connection().say("OK\t1\tuser=eve\nOK\t2\tuser=bob\n");
  CHECK(stage.answer(2).destination.user == "bob");
}

TEST_CASE("what is not Dovecot is left, and tried again") {
  for (const std::string& said :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("VERSION\t2\t0\nDONE\n"),
        std::string(70000, 'x'), std::string(kFirstBlock) + "OK\t77\tuser=eve\n",
        std::string(kFirstBlock) + "OK\tx\n", std::string(kFirstBlock) + std::string(70000, 'x')}) {
    CAPTURE(said.substr(0, 30));
    Stage stage;
    stage.until([&stage] { return stage.heard("CPID\t"); });
    stage.connection().say(said);
    stage.until([&stage] { return stage.connection().ended || stage.peer.connections.size() == 2; });
    CHECK_FALSE(stage.world->source.trouble().empty());
    stage.connect(2);
  }
}

TEST_CASE("half a first block does not hold questions for ever") {
  Stage stage(Duration(500));
  stage.until([&stage] { return stage.heard("CPID\t"); });
  stage.connection().say("VERSION\t1\t2\nMECH\tPLAIN\nDON");
  CHECK(stage.world->ask_plain(1));
  CHECK(stage.answer(1).refusal.fault == Fault::AuthUnavailable);
}

TEST_CASE("a slow answer is given up, and too late when it comes") {
  Stage stage(Duration(300));
  stage.connect();
  CHECK(stage.world->ask_plain(1));
  stage.hear("AUTH\t1\t");
  stage.connection().say("NEWS\n");
  CHECK(stage.answer(1).refusal.fault == Fault::AuthUnavailable);
  stage.hear("CANCEL\t1\n");
  CHECK(stage.world->ask_plain(2));
  stage.connection().say("OK\t1\tuser=eve\nOK\t2\tuser=bob\n");
  CHECK(stage.answer(2).destination.user == "bob");
  CHECK(stage.world->answers.empty());
  CHECK(stage.peer.connections.size() == 1);
}

TEST_CASE("a service that has gone mute is left for another connection") {
  Stage stage(Duration(300));
  stage.connect();
  CHECK(stage.world->ask_plain(1));
  CHECK(stage.answer(1).refusal.fault == Fault::AuthUnavailable);
  stage.connect(2);
  CHECK(stage.world->ask_plain(2));
  stage.hear("AUTH\t2\t");
}

TEST_CASE("the connection is renewed while nobody needs it") {
  Stage stage(Duration(10000), 200, false, Duration(100));
  stage.connect();
  CHECK(stage.world->ask_plain(1));
  stage.hear("AUTH\t1\t");
  const Time begun = stage.world->loop.now();
  stage.until([&stage, begun] { return stage.world->loop.now() - begun > Duration(500); });
  CHECK(stage.peer.connections.size() == 1);
  stage.connection().say("OK\t1\tuser=bob\n");
  CHECK(stage.answer(1).kind == Answer::Kind::Accepted);
  stage.until(
      [&stage] { return stage.peer.connections.size() == 2 && stage.peer.connections.front().ended; });
  CHECK(stage.world->source.mechanisms().size() == 2);
  CHECK(stage.world->ask_plain(2));
  stage.until([&stage] { return stage.heard("CPID\t"); });
  stage.connection().say(kFirstBlock);
  stage.hear("AUTH\t2\t");
  stage.connection().say("OK\t2\tuser=bob\n");
  CHECK(stage.answer(2).kind == Answer::Kind::Accepted);
}

TEST_CASE("what nobody reads stays bounded") {
  Stage stage(Duration(5000), 100000);
  stage.connect();
  std::uint32_t slot = 0;
  while (slot < 10000 && stage.world->ask_plain(slot, "bob", std::string(4000, 'x'))) ++slot;
  CHECK(slot > 100);
  CHECK(slot < 5000);
}

}  // namespace postern::auth
