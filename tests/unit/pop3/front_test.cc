#include "parsers/pop3/front.h"

#include <doctest/doctest.h>
#include <string>
#include <utility>

using namespace postern;

// What the transcripts in tests/transcripts/pop3_front can't say.

namespace {

FrontSetup setup() {
  FrontSetup result;
  result.host_name = "host";
  result.secure = true;
  result.mechanisms = {Mechanism::Plain, Mechanism::Login};
  return result;
}

// All that is sent until the dialogue wants something else.
std::string sent(Pop3Front& front) {
  std::string bytes;
  while (true) {
    const auto event = front.next();
    const auto* send = std::get_if<Send>(&event);
    if (!send) return bytes;
    bytes += send->bytes;
  }
}

}  // namespace

TEST_CASE("a peer that is trusted is invited to say XCLIENT") {
  auto with = setup();
  with.invite_xclient = true;
  Pop3Front front(std::move(with));
  CHECK(sent(front) == "+OK [XCLIENT] host Postern ready.\r\n");
}

TEST_CASE("no host name, no space") {
  Pop3Front front(FrontSetup{});
  CHECK(sent(front) == "+OK Postern ready.\r\n");
}

TEST_CASE("nothing is read while the login is decided, and nothing is lost") {
  Pop3Front front(setup());
  front.receive("USER alice\r\nPASS secret\r\nQUIT\r\n");
  CHECK(std::holds_alternative<Send>(front.next()));
  CHECK(std::holds_alternative<Send>(front.next()));
  CHECK(std::holds_alternative<LoginRequest>(front.next()));
  CHECK(std::holds_alternative<NeedData>(front.next()));
  CHECK(front.buffered() == 6);
  front.receive("more");
  CHECK(std::holds_alternative<NeedData>(front.next()));
  CHECK(front.buffered() == 10);
  front.accept({.text = "in", .untagged = {}, .capabilities = {}});
  CHECK(sent(front) == "+OK in\r\n");
  CHECK(std::holds_alternative<NeedData>(front.next()));
  CHECK(front.take_rest() == "QUIT\r\nmore");
  CHECK(front.buffered() == 0);
}

TEST_CASE("an unfinished line is held up to its limit and no more") {
  Pop3Front front(setup());
  sent(front);
  for (int i = 0; i < 510; ++i) {
    front.receive("x");
    CHECK(std::holds_alternative<NeedData>(front.next()));
  }
  CHECK(front.buffered() == 510);
  front.receive("x");
  CHECK(std::get<Send>(front.next()).bytes.starts_with("-ERR "));
  CHECK(std::get<Close>(front.next()).fault == Fault::LineTooLong);
  CHECK(front.buffered() == 0);
}

TEST_CASE("one chunk may hold far more than a line") {
  auto with = setup();
  with.limits.commands = 1000;
  Pop3Front front(std::move(with));
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += "CAPA\r\n";
  front.receive(bytes);
  const auto replies = sent(front);
  std::size_t ends = 0;
  for (auto at = replies.find("\r\n.\r\n"); at != replies.npos; at = replies.find("\r\n.\r\n", at + 1))
    ++ends;
  CHECK(ends == 1000);
}

TEST_CASE("after the end nothing is kept") {
  Pop3Front front(setup());
  front.receive("QUIT\r\nUSER alice\r\n");
  sent(front);
  front.receive("PASS secret\r\n");
  CHECK(front.buffered() == 0);
  CHECK(std::holds_alternative<NeedData>(front.next()));
}

TEST_CASE("clear text during the handshake is not kept") {
  auto clear = setup();
  clear.secure = false;
  clear.starttls = true;
  Pop3Front front(std::move(clear));
  front.receive("STLS\r\nQUIT\r\n");
  CHECK(std::holds_alternative<Send>(front.next()));
  CHECK(std::holds_alternative<Send>(front.next()));
  CHECK(std::holds_alternative<StartTls>(front.next()));
  CHECK(front.buffered() == 0);
  front.receive("QUIT\r\n");
  CHECK(front.buffered() == 0);
  CHECK(std::holds_alternative<NeedData>(front.next()));
}

TEST_CASE("nothing is read while an answer to a challenge is weighed, and nothing of it is kept") {
  auto with = setup();
  with.relayed = {"CRAM-MD5"};
  Pop3Front front(std::move(with));
  sent(front);
  front.receive("AUTH CRAM-MD5\r\n");
  CHECK(std::holds_alternative<LoginRequest>(front.next()));
  front.receive("YWxpY2UgMDEyMw==\r\nQUIT\r\n");
  CHECK(std::holds_alternative<NeedData>(front.next()));
  CHECK(front.buffered() == 24);
  front.challenge("<1@host>");
  CHECK(std::get<Send>(front.next()).bytes == "+ PDFAaG9zdD4=\r\n");
  CHECK(std::get<Response>(front.next()).message.reveal() == "alice 0123");
  CHECK(std::holds_alternative<NeedData>(front.next()));
  CHECK(front.buffered() == 6);
  front.reject({.fault = Fault::AuthUnavailable, .code = {}, .text = {}});
  CHECK(sent(front) == "-ERR [SYS/TEMP] Account is temporarily unavailable.\r\n+OK Goodbye.\r\n");
}

TEST_CASE("a service that fails may end the login before the client has answered its challenge") {
  auto with = setup();
  with.relayed = {"CRAM-MD5"};
  Pop3Front front(std::move(with));
  sent(front);
  front.receive("AUTH CRAM-MD5\r\n");
  CHECK(std::holds_alternative<LoginRequest>(front.next()));
  front.challenge("x");
  CHECK(sent(front) == "+ eA==\r\n");
  front.reject({.fault = Fault::AuthUnavailable, .code = {}, .text = {}});
  CHECK(sent(front) == "-ERR [SYS/TEMP] Account is temporarily unavailable.\r\n");
  front.receive("USER alice\r\n");
  CHECK(sent(front) == "+OK Send PASS.\r\n");
}

TEST_CASE("commands without end end the session") {
  auto with = setup();
  with.limits.commands = 3;
  Pop3Front front(std::move(with));
  sent(front);
  front.receive("CAPA\r\nCAPA\r\nUSER ann\r\n");
  CHECK_FALSE(sent(front).contains("-ERR"));
  front.receive("PASS secret\r\n");
  CHECK(std::get<Send>(front.next()).bytes == "-ERR Too many commands before login.\r\n");
  CHECK(std::get<Close>(front.next()).fault == Fault::TooManyCommands);
}
