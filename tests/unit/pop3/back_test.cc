#include "parsers/pop3/back.h"

#include <doctest/doctest.h>
#include <string>
#include <utility>

using namespace postern;

// What the transcripts in tests/transcripts/pop3_back can't say.

namespace {

BackSetup setup() {
  BackSetup result;
  result.user = "alice";
  result.password = Secret("secret");
  return result;
}

std::string said(Pop3Back& back) {
  const auto event = back.next();
  const auto* send = std::get_if<SendSecret>(&event);
  return send ? std::string(send->bytes.reveal()) : "";
}

}  // namespace

TEST_CASE("the password counts as sent when it is handed out, not before") {
  Pop3Back back(setup());
  back.receive("+OK\r\n");
  CHECK(said(back) == "USER alice\r\n");
  back.receive("+OK\r\n");
  CHECK_FALSE(back.credentials_sent());
  CHECK(said(back) == "PASS secret\r\n");
  CHECK(back.credentials_sent());
}

TEST_CASE("after STLS a master's password counts as sent when it is handed out") {
  auto master = setup();
  master.authorization = "bob";
  master.starttls = true;
  Pop3Back back(std::move(master));
  back.receive("+OK\r\n");
  CHECK(said(back) == "STLS\r\n");
  back.receive("+OK\r\n");
  CHECK(std::holds_alternative<StartTls>(back.next()));
  CHECK(std::holds_alternative<NeedData>(back.next()));
  back.secured();
  CHECK_FALSE(back.credentials_sent());
  CHECK(said(back).starts_with("AUTH PLAIN "));
  CHECK(back.credentials_sent());
}

TEST_CASE("clear text that lay there when the handshake succeeded ends it") {
  auto tls = setup();
  tls.starttls = true;
  Pop3Back back(std::move(tls));
  back.receive("+OK\r\n");
  CHECK(said(back) == "STLS\r\n");
  back.receive("+OK\r\n+OK injected\r\n");
  CHECK(std::holds_alternative<StartTls>(back.next()));
  back.secured();  // the driver did not ask before
  CHECK(std::get<Refused>(back.next()).refusal.fault == Fault::StoreProtocol);
  CHECK(std::holds_alternative<NeedData>(back.next()));
}

TEST_CASE("what comes behind a login is kept, behind a refusal it is not") {
  Pop3Back back(setup());
  back.receive("+OK\r\n+OK\r\n+OK\r\n1");
  CHECK(said(back) == "USER alice\r\n");
  CHECK(said(back) == "PASS secret\r\n");
  CHECK(std::holds_alternative<LoggedIn>(back.next()));
  back.receive("2");
  CHECK(std::holds_alternative<NeedData>(back.next()));
  CHECK(back.take_rest() == "12");

  Pop3Back refused(setup());
  refused.receive("-ERR\r\n+OK\r\n");
  CHECK(std::holds_alternative<Refused>(refused.next()));
  refused.receive("+OK\r\n");
  CHECK(refused.take_rest().empty());
}
