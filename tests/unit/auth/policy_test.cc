#include "proxy/auth/policy.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/auth/http_server.h"
#include "tests/unit/net/pair.h"

namespace postern::auth {
namespace {

using namespace std::chrono_literals;
using Verdict = PolicyAnswer::Verdict;

struct World {
  net::Loop loop{{}};
  std::vector<PolicyAnswer> answers;
  std::string reply = http_ok("", R"({"status":0,"msg":""})");
  HttpServer server{loop, [this](HttpServer::Peer& peer, const std::string&) { peer.say(reply); }};
  conf::Policy settings{.url = server.url("/"), .key_file = {}, .nonce = "salt", .ca_file = {}};
  std::optional<Policy> policy;
  Credentials credentials{.mechanism = Mechanism::Plain,
                          .user = "ann@example.org",
                          .authorization = {},
                          .password = Secret("pw")};

  void start() {
    policy.emplace(loop, settings, Secret("super"), nullptr, net::kServiceSlots + 1,
                   [this](PolicyAnswer answer) { answers.push_back(std::move(answer)); });
  }
  PolicyQuestion question() const {
    Question login;
    login.credentials = &credentials;
    login.client = *Endpoint::parse("192.0.2.7:1000");
    login.session = "abc123";
    login.client_id = R"("name" "x")";
    login.secure = true;
    return policy->question(login);
  }
  const PolicyAnswer& answer(std::size_t number = 1) {
    net::run_until(loop, [this, number] { return answers.size() >= number; });
    return answers[number - 1];
  }
  std::string body(std::size_t number) const {
    const std::string& request = server.requests.at(number);
    return request.substr(request.find("\r\n\r\n") + 4);
  }
};

TEST_CASE("the request is weakforced's, and no password is in it") {
  World world;
  world.start();
  REQUIRE(world.policy->ask({.slot = 3, .generation = 9}, world.question()));
  CHECK(world.answer().ticket == net::AnswerTicket{.slot = 3, .generation = 9});
  CHECK(world.answer().verdict == Verdict::Allow);
  CHECK(world.answer().wait == 0s);
  const std::string body =
      R"({"login":"ann@example.org","pwhash":")" + password_hash("salt", "ann@example.org", Secret("pw")) +
      R"(","remote":"192.0.2.7","device_id":"\"name\" \"x\"","protocol":"imap","session_id":"abc123","tls":true})";
  CHECK(world.server.requests.at(0) ==
        "POST /?command=allow HTTP/1.1\r\n"
        "Host: 127.0.0.1:" +
            std::to_string(world.settings.url.port) +
            "\r\n"
            "User-Agent: postern\r\n"
            "X-API-Key: super\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
}

TEST_CASE("the hash is Dovecot's: 12 bits of SHA-256 over nonce, user, NUL and password") {
  // printf 'saltann\0pw' | sha256sum, cut by hand
  CHECK(password_hash("salt", "ann", Secret("pw")) == "0a3a");
  CHECK(password_hash("", "", Secret()) == "06e3");
  CHECK(password_hash("n", "ab", Secret("c")) != password_hash("n", "a", Secret("bc")));
}

TEST_CASE("a report says how it ended, and nobody is told of its answer") {
  World world;
  world.start();
  struct Row {
    Fault fault;
    const char* end;
  };
  const Row rows[] = {
      {Fault::None, R"("fail_type":"","success":true,"policy_reject":false,"tls":true})"},
      {Fault::BadCredentials,
       R"("fail_type":"credentials","success":false,"policy_reject":false,"tls":true})"},
      {Fault::PasswordExpired, R"("fail_type":"expired","success":false,"policy_reject":false,"tls":true})"},
      {Fault::AccountDisabled, R"("fail_type":"disabled","success":false,"policy_reject":false,"tls":true})"},
      {Fault::NoRoute, R"("fail_type":"account","success":false,"policy_reject":false,"tls":true})"},
      {Fault::AuthUnavailable, R"("fail_type":"internal","success":false,"policy_reject":false,"tls":true})"},
      {Fault::PolicyRefused, R"("fail_type":"policy","success":false,"policy_reject":true,"tls":true})"},
  };
  std::size_t number = 0;
  for (const Row& row : rows) {
    REQUIRE(world.policy->report(world.question(), row.fault));
    net::run_until(world.loop, [&world, number] { return world.server.requests.size() > number; });
    CHECK(world.server.requests[number].starts_with("POST /?command=report HTTP/1.1\r\n"));
    CHECK(world.body(number).ends_with(row.end));
    ++number;
  }
  REQUIRE(world.policy->ask({.slot = 3, .generation = 9}, world.question()));
  CHECK(world.answer().ticket.slot == 3);
  CHECK(world.answers.size() == 1);
}

TEST_CASE("what the reply says") {
  struct Row {
    std::string body;
    Verdict verdict;
    Duration wait;
    std::string detail;
  };
  const Row rows[] = {
      {R"({"status":0,"msg":""})", Verdict::Allow, 0s, ""},
      {R"({"status":0,"msg":"fine","r_attrs":{"a":"b"}})", Verdict::Allow, 0s, "fine"},
      {R"({"status":0})", Verdict::Allow, 0s, ""},
      {R"({"status":5,"msg":"slow"})", Verdict::Allow, 5s, "slow"},
      {R"({"status":30})", Verdict::Allow, 30s, ""},
      {R"({"status":31})", Verdict::Allow, 30s, ""},
      {R"({"status":18446744073709551615})", Verdict::Allow, 30s, ""},
      {R"({"status":-1,"msg":"too\r\nmany"})", Verdict::Reject, 0s, "toomany"},
      {R"({"status":-9223372036854775808})", Verdict::Reject, 0s, ""},
      {R"({"status":-1,"msg":7})", Verdict::Reject, 0s, ""},
      {"", Verdict::Unavailable, 0s, "the answer is no JSON object"},
      {"[]", Verdict::Unavailable, 0s, "the answer is no JSON object"},
      {"{", Verdict::Unavailable, 0s, "the answer is no JSON object"},
      {R"({"status":0}x)", Verdict::Unavailable, 0s, "the answer is no JSON object"},
      {std::string(60000, '['), Verdict::Unavailable, 0s, "the answer is no JSON object"},
      {"{}", Verdict::Unavailable, 0s, "status is missing"},
      {R"({"status":"ok"})", Verdict::Unavailable, 0s, "status is no whole number"},
      {R"({"status":-0.5})", Verdict::Unavailable, 0s, "status is no whole number"},
      {R"({"status":null})", Verdict::Unavailable, 0s, "status is no whole number"},
      {"{\"status\":0,\"msg\":\"\xff\"}", Verdict::Unavailable, 0s, "the answer is no JSON object"},
  };
  World world;
  world.start();
  std::size_t number = 0;
  for (const Row& row : rows) {
    CAPTURE(row.body.substr(0, 80));
    world.reply = http_ok("", row.body);
    REQUIRE(world.policy->ask({.slot = 1, .generation = 1}, world.question()));
    const PolicyAnswer& answer = world.answer(++number);
    CHECK(answer.verdict == row.verdict);
    CHECK(answer.wait == row.wait);
    CHECK(answer.detail == row.detail);
  }
}

TEST_CASE("a service that cannot be asked is unavailable") {
  for (const std::string& reply : {std::string("HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\n{\"status\":0}"),
                                   std::string("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
                                   std::string("nonsense\r\n"), std::string()}) {
    World world;
    world.settings.timeout = 200ms;
    world.start();
    world.reply = reply;
    REQUIRE(world.policy->ask({.slot = 1, .generation = 1}, world.question()));
    CHECK(world.answer().verdict == Verdict::Unavailable);
    CHECK_FALSE(world.answer().detail.empty());
  }
}

TEST_CASE("requests are bounded, reports among them, and a question can be cancelled") {
  World world;
  world.settings.in_flight = 3;
  world.start();
  world.server.script = [](HttpServer::Peer&, const std::string&) {};
  REQUIRE(world.policy->ask({.slot = 1, .generation = 1}, world.question()));
  REQUIRE(world.policy->ask({.slot = 2, .generation = 1}, world.question()));
  REQUIRE(world.policy->report(world.question(), Fault::None));
  CHECK_FALSE(world.policy->report(world.question(), Fault::None));
  CHECK_FALSE(world.policy->ask({.slot = 3, .generation = 1}, world.question()));
  world.policy->cancel({.slot = 1, .generation = 1});
  world.server.script = [](HttpServer::Peer& peer, const std::string&) {
    peer.say(http_ok("", R"({"status":-1})"));
  };
  REQUIRE(world.policy->ask({.slot = 3, .generation = 1}, world.question()));
  net::run_until(world.loop, [&world] { return !world.answers.empty(); });
  for (const PolicyAnswer& answer : world.answers) CHECK(answer.ticket.slot != 1);
}

TEST_CASE("a name that is not UTF-8 is told as far as JSON can") {
  World world;
  world.start();
  world.credentials.user = "J\xfcrgen\"\n";
  REQUIRE(world.policy->ask({.slot = 1, .generation = 1}, world.question()));
  CHECK(world.answer().verdict == Verdict::Allow);
  const auto json = nlohmann::json::parse(world.body(0), nullptr, false);
  REQUIRE(json.is_object());
  CHECK(json["login"] == "J\xef\xbf\xbdrgen\"\n");
  CHECK(json["pwhash"] == password_hash("salt", "J\xfcrgen\"\n", Secret("pw")));
}

TEST_CASE("the command goes into the query") {
  CHECK(command_path("/", "allow") == "/?command=allow");
  CHECK(command_path("/p?", "allow") == "/p?command=allow");
  CHECK(command_path("/p?a=b", "allow") == "/p?a=b&command=allow");
  CHECK(command_path("/p?a=b&", "report") == "/p?a=b&command=report");
}

}  // namespace
}  // namespace postern::auth
