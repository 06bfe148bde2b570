#include "parsers/imap/back.h"

#include <doctest/doctest.h>
#include <string>

namespace postern {
namespace {

BackSetup plain_setup() {
  BackSetup setup;
  setup.user = "alice";
  setup.password = Secret("secret");
  return setup;
}

BackSetup starttls_setup() {
  BackSetup setup = plain_setup();
  setup.starttls = true;
  return setup;
}

// What is sent until the next event of another kind, which is left in `last`.
std::string sent(ImapBack& back, BackEvent* last = nullptr) {
  std::string bytes;
  while (true) {
    BackEvent event = back.next();
    if (const auto* send = std::get_if<SendSecret>(&event)) {
      bytes += send->bytes.reveal();
      continue;
    }
    if (last != nullptr) *last = std::move(event);
    return bytes;
  }
}

Fault refusal(ImapBack& back) {
  BackEvent event = NeedData{};
  sent(back, &event);
  REQUIRE(std::holds_alternative<Refused>(event));
  return std::get<Refused>(event).refusal.fault;
}

template <typename Event>
void expect(ImapBack& back) {
  BackEvent event = NeedData{};
  sent(back, &event);
  REQUIRE(std::holds_alternative<Event>(event));
}

}  // namespace

// These depend on the moment at which bytes arrive, which a transcript can't tell.

TEST_CASE("consent to STARTTLS that came before the question is refused") {
  // CVE-2026-42246: somebody on the way wrote it.
  ImapBack back(starttls_setup());
  back.receive("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nS OK begin\r\n");
  CHECK(refusal(back) == Fault::StoreProtocol);
  CHECK_FALSE(back.credentials_sent());
}

TEST_CASE("half a consent that came before the question is refused too") {
  ImapBack back(starttls_setup());
  back.receive("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nS ");
  CHECK(sent(back) == "S STARTTLS\r\n");
  back.receive("OK begin\r\n");
  CHECK(refusal(back) == Fault::StoreProtocol);
}

TEST_CASE("clear text behind the consent to STARTTLS is refused") {
  for (const std::string_view more : {"x", "* CAPABILITY AUTH=EVIL\r\n", "C OK\r\n", "\x16\x03\x01"}) {
    ImapBack back(starttls_setup());
    back.receive("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
    CHECK(sent(back) == "S STARTTLS\r\n");
    back.receive("S OK begin\r\n" + std::string(more));
    CHECK(refusal(back) == Fault::StoreProtocol);
    CHECK_FALSE(back.credentials_sent());
  }
}

TEST_CASE("clear text between the consent and the handshake is refused") {
  ImapBack back(starttls_setup());
  back.receive("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
  CHECK(sent(back) == "S STARTTLS\r\n");
  back.receive("S OK begin\r\n");
  expect<StartTls>(back);
  back.receive("* CAPABILITY IMAP4rev1\r\n");
  CHECK(refusal(back) == Fault::StoreProtocol);
}

TEST_CASE("a login that was granted before it was asked for is refused") {
  ImapBack back(plain_setup());
  back.receive("* OK [CAPABILITY IMAP4rev1] hi\r\nL OK [CAPABILITY IMAP4rev1] Logged in\r\n");
  CHECK(refusal(back) == Fault::StoreProtocol);
}

TEST_CASE("capabilities that were told before they were asked for count, their tagged OK does not") {
  ImapBack back(plain_setup());
  back.receive("* OK hi\r\n* CAPABILITY IMAP4rev1\r\nC OK\r\n");
  CHECK(refusal(back) == Fault::StoreProtocol);
  CHECK_FALSE(back.credentials_sent());
}

TEST_CASE("untagged lines behind the greeting are no answer and do no harm") {
  ImapBack back(plain_setup());
  back.receive("* OK [CAPABILITY IMAP4rev1] hi\r\n* OK [ALERT] Maintenance.\r\n* O");
  CHECK(sent(back) == "L LOGIN \"alice\" \"secret\"\r\n");
  back.receive("K still\r\nL OK [CAPABILITY IMAP4rev1] in\r\n");
  BackEvent event = NeedData{};
  sent(back, &event);
  REQUIRE(std::holds_alternative<LoggedIn>(event));
  CHECK(std::get<LoggedIn>(event).welcome.untagged == "* OK [ALERT] Maintenance.\r\n* OK still\r\n");
}

TEST_CASE("continuations that came in advance are refused") {
  BackSetup setup = plain_setup();
  setup.user = "\xc3\xa4";
  setup.password = Secret("\xc3\xbc");
  ImapBack back(std::move(setup));
  back.receive("* OK [CAPABILITY IMAP4rev1] hi\r\n");
  CHECK(sent(back) == "L LOGIN {2}\r\n");
  back.receive("+ \r\n+ \r\n");
  CHECK(refusal(back) == Fault::StoreProtocol);
  CHECK_FALSE(back.credentials_sent());
}

TEST_CASE("untagged lines are bounded together, over all that a login takes") {
  ImapBack back(plain_setup());
  back.receive("* OK hi\r\n");
  sent(back);
  const std::string line = "* OK " + std::string(1000, 'x') + "\r\n";
  std::size_t lines = 0;
  BackEvent event = NeedData{};
  while (std::holds_alternative<NeedData>(event) && lines < 1000) {
    back.receive(line);
    sent(back, &event);
    ++lines;
  }
  REQUIRE(std::holds_alternative<Refused>(event));
  CHECK(lines == ImapBack::kUntaggedMax / 1002 + 1);
}

TEST_CASE("closing means what has been said before") {
  ImapBack back(plain_setup());
  CHECK(back.closed().fault == Fault::StoreClosed);
  back.receive("* OK [CAPABILITY IMAP4rev1] hi\r\n");
  sent(back);
  CHECK(back.closed().fault == Fault::StoreClosed);
  back.receive("* BYE [UNAVAILABLE] Later.\r\n");
  sent(back);
  CHECK(back.closed() == Refusal{Fault::StoreUnavailable, "UNAVAILABLE", "Later."});
}

TEST_CASE("a BYE in clear text means nothing behind TLS") {
  ImapBack back(starttls_setup());
  back.receive("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
  sent(back);
  back.receive("* BYE gone\r\nS OK begin\r\n");
  expect<StartTls>(back);
  back.secured();
  CHECK(sent(back) == "C CAPABILITY\r\n");
  CHECK(back.closed().fault == Fault::StoreClosed);
}

TEST_CASE("what the store says behind its challenge, before it has an answer, is refused") {
  for (const std::string_view early : {"L NO no\r\n", "L OK in\r\n", "+ eA==\r\n", "L "}) {
    CAPTURE(early);
    BackSetup setup;
    setup.mechanism = Mechanism::XOAuth2;
    setup.message = Secret("m");
    ImapBack back(std::move(setup));
    back.receive("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi\r\n");
    CHECK(sent(back) == "L AUTHENTICATE XOAUTH2 bQ==\r\n");
    back.receive("+ eA==\r\n" + std::string(early));
    expect<Challenge>(back);
    expect<NeedData>(back);
    back.respond(Secret(""));
    BackEvent event = NeedData{};
    CHECK(sent(back, &event) == "\r\n");
    back.receive("NO no\r\n");
    if (std::holds_alternative<NeedData>(event)) sent(back, &event);
    REQUIRE(std::holds_alternative<Refused>(event));
    CHECK(std::get<Refused>(event).refusal.fault == Fault::StoreProtocol);
  }
}

TEST_CASE("an untagged line behind a challenge does no harm") {
  BackSetup setup;
  setup.mechanism = Mechanism::OAuthBearer;
  setup.message = Secret("m");
  ImapBack back(std::move(setup));
  back.receive("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=OAUTHBEARER] hi\r\n");
  CHECK(sent(back) == "L AUTHENTICATE OAUTHBEARER bQ==\r\n");
  back.receive("+ eA==\r\n* BYE [UNAVAILABLE] Later.\r\n");
  expect<Challenge>(back);
  CHECK(back.closed().fault == Fault::StoreClosed);
  back.give_up();
  CHECK(sent(back) == "*\r\n");
  CHECK(back.closed() == Refusal{Fault::StoreUnavailable, "UNAVAILABLE", "Later."});
}

TEST_CASE("every code of a refused login has its fault, in any case") {
  struct Row {
    std::string_view text;
    Refusal expected;
  };
  for (const Row& row : {
           Row{"no", {Fault::BadCredentials, "", ""}},
           Row{"", {Fault::BadCredentials, "", ""}},
           Row{"[authenticationfailed] x", {Fault::BadCredentials, "", ""}},
           Row{"[Alert] x", {Fault::BadCredentials, "Alert", "x"}},
           Row{"[Unavailable] x", {Fault::StoreUnavailable, "Unavailable", "x"}},
           Row{"[AUTHORIZATIONFAILED] x", {Fault::NotAuthorized, "AUTHORIZATIONFAILED", "x"}},
           Row{"[EXPIRED] x", {Fault::PasswordExpired, "EXPIRED", "x"}},
           Row{"[LIMIT] x", {Fault::UserLimit, "LIMIT", "x"}},
           Row{"[INUSE] x", {Fault::UserLimit, "INUSE", "x"}},
           Row{"[SERVERBUG] x", {Fault::StoreBug, "", ""}},
           Row{"[REFERRAL imap://x/] x", {Fault::StoreUnavailable, "", ""}},
           Row{"[CONTACTADMIN] x", {Fault::StoreRefused, "CONTACTADMIN", "x"}},
           Row{"[LIMITED] x", {Fault::StoreRefused, "LIMITED", "x"}},
       }) {
    CAPTURE(row.text);
    CHECK(refusal_of_login(row.text) == row.expected);
  }
}

TEST_CASE("a refused dialogue holds nothing and says nothing more") {
  ImapBack back(plain_setup());
  back.receive("HTTP/1.1 400 Bad Request\r\nmore\r\n");
  CHECK(refusal(back) == Fault::StoreProtocol);
  back.receive("* OK [CAPABILITY IMAP4rev1] hi\r\n");
  CHECK(sent(back).empty());
  CHECK(back.take_rest().empty());
}

}  // namespace postern
