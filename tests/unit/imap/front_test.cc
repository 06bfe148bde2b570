#include "parsers/imap/front.h"

#include <doctest/doctest.h>
#include <string>

namespace postern {
namespace {

FrontSetup secure_setup() {
  FrontSetup setup;
  setup.host_name = "proxy.example";
  setup.secure = true;
  setup.mechanisms = {Mechanism::Plain, Mechanism::Login};
  return setup;
}

FrontSetup clear_setup() {
  FrontSetup setup = secure_setup();
  setup.secure = false;
  setup.starttls = true;
  return setup;
}

// What is sent until the next event of another kind, which is left in `last`.
std::string sent(ImapFront& front, FrontEvent* last = nullptr) {
  std::string bytes;
  while (true) {
    FrontEvent event = front.next();
    if (auto* send = std::get_if<Send>(&event)) {
      bytes += send->bytes;
      continue;
    }
    if (last != nullptr) *last = std::move(event);
    return bytes;
  }
}

template <typename Event>
Event expect(ImapFront& front) {
  FrontEvent event = NeedData{};
  sent(front, &event);
  REQUIRE(std::holds_alternative<Event>(event));
  return std::move(std::get<Event>(event));
}

}  // namespace

TEST_CASE("nothing happens while a login is unanswered, and what arrives is counted") {
  ImapFront front(secure_setup());
  front.receive("a LOGIN alice secret\r\nb NOOP\r\n");
  const auto request = expect<LoginRequest>(front);
  CHECK(request.credentials.user == "alice");
  CHECK(request.credentials.password.reveal() == "secret");
  CHECK(sent(front).empty());
  CHECK(front.buffered() == 8);
  front.receive("c NOOP\r\n");
  CHECK(sent(front).empty());
  CHECK(front.buffered() == 16);
}

TEST_CASE("a password is not held any more when its request was taken") {
  ImapFront front(secure_setup());
  front.receive("a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n");
  expect<LoginRequest>(front);
  CHECK(front.buffered() == 0);
  CHECK(front.take_rest().empty());
}

TEST_CASE("what waits in an unfinished command is bounded by the limits") {
  FrontSetup setup = secure_setup();
  setup.limits = {.line = 300, .literal = 50, .bad_commands = 1000};
  ImapFront front(setup);
  sent(front);
  const std::string bytes =
      "a X {50+}\r\n" + std::string(50, 'x') + " {50+}\r\n" + std::string(50, '(') + "\r\n";
  for (int i = 0; i < 20; ++i) {
    for (const char byte : bytes) {
      front.receive(std::string_view(&byte, 1));
      sent(front);
      CHECK(front.buffered() <= 300);
    }
    CHECK(front.buffered() == 0);
  }
}

TEST_CASE("clear text that arrives during the handshake is not kept") {
  ImapFront front(clear_setup());
  front.receive("a STARTTLS\r\n");
  expect<StartTls>(front);
  front.receive("b NOOP\r\n");
  CHECK(front.buffered() == 0);
  front.secured();
  CHECK(sent(front).empty());
  front.receive("c NOOP\r\n");
  CHECK(sent(front) == "c OK Nothing done.\r\n");
}

TEST_CASE("an event that was not taken yet does not let clear text through") {
  ImapFront front(clear_setup());
  sent(front);
  front.receive("a STARTTLS\r\nb NOOP\r\n");
  CHECK(std::holds_alternative<Send>(front.next()));
  front.receive("c NOOP\r\n");
  CHECK(std::holds_alternative<StartTls>(front.next()));
  CHECK(front.buffered() == 0);
}

TEST_CASE("after the end nothing is kept and nothing happens") {
  ImapFront front(secure_setup());
  front.receive("a LOGOUT\r\nb NOOP\r\n");
  CHECK(expect<Close>(front) == Close{Fault::None});
  front.receive("c NOOP\r\n");
  CHECK(front.buffered() == 0);
  CHECK(sent(front).empty());
}

TEST_CASE("a farewell fits every fault on one line and has words") {
  const ImapFront front(secure_setup());
  for (std::size_t i = 0; i < kFaults; ++i) {
    const std::string line = front.farewell(static_cast<Fault>(i));
    CAPTURE(line);
    CHECK(line.starts_with("* BYE "));
    CHECK(line.find("\r\n") == line.size() - 2);
    CHECK(line.size() > 10);
    CHECK(line.find("[]") == std::string::npos);
  }
}

TEST_CASE("a refusal of every fault is a tagged NO with words") {
  ImapFront front(secure_setup());
  for (std::size_t i = 1; i < kFaults; ++i) {
    front.receive("a LOGIN alice secret\r\n");
    expect<LoginRequest>(front);
    front.reject({.fault = static_cast<Fault>(i), .code = "", .text = ""});
    const std::string line = sent(front);
    CAPTURE(line);
    CHECK(line.starts_with("a NO "));
    CHECK(line.find("\r\n") == line.size() - 2);
    CHECK(line.size() > 10);
  }
}

TEST_CASE("somebody's words have the code of the fault, or their own") {
  ImapFront front(secure_setup());
  front.receive("a LOGIN alice secret\r\nb LOGIN alice secret\r\n");
  expect<LoginRequest>(front);
  front.reject({.fault = Fault::BadCredentials, .code = "", .text = "Unpaid bill"});
  FrontEvent event = NeedData{};
  CHECK(sent(front, &event) == "a NO [AUTHENTICATIONFAILED] Unpaid bill\r\n");
  REQUIRE(std::holds_alternative<LoginRequest>(event));
  front.reject({.fault = Fault::BadCredentials, .code = "ALERT", .text = "Unpaid bill"});
  CHECK(sent(front) == "b NO [ALERT] Unpaid bill\r\n");
}

TEST_CASE("a mechanism that was withdrawn is neither offered nor taken") {
  FrontSetup setup = secure_setup();
  setup.mechanisms = {Mechanism::Plain, Mechanism::External};
  ImapFront front(setup);
  CHECK(sent(front).find(" AUTH=EXTERNAL") != std::string::npos);
  front.withdraw(Mechanism::External);
  front.receive("a CAPABILITY\r\nb AUTHENTICATE EXTERNAL =\r\n");
  const std::string said = sent(front);
  CHECK(said.find(" AUTH=PLAIN") != std::string::npos);
  CHECK(said.find("EXTERNAL") == std::string::npos);
  CHECK(said.find("\r\nb NO ") != std::string::npos);
}

TEST_CASE("the rest behind a login is handed over whole, however long") {
  ImapFront front(secure_setup());
  const std::string rest(1'000'000, '\n');
  front.receive("a LOGIN alice secret\r\n" + rest.substr(0, 10));
  expect<LoginRequest>(front);
  front.receive(rest.substr(10));
  front.accept({.text = "hi", .untagged = "", .capabilities = ""});
  CHECK(sent(front) == "a OK hi\r\n");
  CHECK(front.buffered() == rest.size());
  CHECK(front.take_rest() == rest);
  CHECK(front.buffered() == 0);
}

TEST_CASE("nothing is read while an answer to a challenge is weighed, and nothing of it is kept") {
  FrontSetup setup = secure_setup();
  setup.relayed = {"CRAM-MD5"};
  ImapFront front(setup);
  front.receive("a AUTHENTICATE CRAM-MD5\r\n");
  const auto request = expect<LoginRequest>(front);
  CHECK(request.credentials.mechanism == Mechanism::Relayed);
  CHECK_FALSE(request.credentials.has_message);
  front.receive("YWxpY2UgMDEyMw==\r\nb NOOP\r\n");
  CHECK(sent(front).empty());
  CHECK(front.buffered() == 26);
  front.challenge("<1@host>");
  FrontEvent event = NeedData{};
  CHECK(sent(front, &event) == "+ PDFAaG9zdD4=\r\n");
  REQUIRE(std::holds_alternative<Response>(event));
  CHECK(std::get<Response>(event).message.reveal() == "alice 0123");
  CHECK(sent(front).empty());
  CHECK(front.buffered() == 8);
  front.reject({.fault = Fault::AuthUnavailable, .code = {}, .text = {}});
  CHECK(sent(front) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\nb OK Nothing done.\r\n");
}

TEST_CASE("a service that fails may end the login before the client has answered its challenge") {
  FrontSetup setup = secure_setup();
  setup.relayed = {"CRAM-MD5"};
  ImapFront front(setup);
  front.receive("a AUTHENTICATE CRAM-MD5\r\n");
  expect<LoginRequest>(front);
  front.challenge("x");
  CHECK(sent(front) == "+ eA==\r\n");
  front.reject({.fault = Fault::AuthUnavailable, .code = {}, .text = {}});
  CHECK(sent(front) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  front.receive("b NOOP\r\n");
  CHECK(sent(front) == "b OK Nothing done.\r\n");
}

TEST_CASE("commands without end end the session") {
  FrontSetup setup = secure_setup();
  setup.limits.commands = 3;
  ImapFront front(setup);
  sent(front);
  front.receive("a NOOP\r\nb NOOP\r\nc CAPABILITY\r\n");
  CHECK_FALSE(sent(front).contains("BYE"));
  front.receive("d LOGIN ann secret\r\n");
  FrontEvent event = NeedData{};
  CHECK(sent(front, &event) == "* BYE Too many commands before login.\r\n");
  CHECK(std::get<Close>(event).fault == Fault::TooManyCommands);
}

}  // namespace postern
