#include "proxy/auth/passwd_source.h"

#include <doctest/doctest.h>
#include <latch>
#include <optional>
#include <string>

#include "tests/unit/auth/hashes.h"

namespace postern::auth {
namespace {

Credentials credentials_of(Mechanism mechanism, std::string authorization = {}) {
  Credentials credentials;
  credentials.mechanism = mechanism;
  credentials.user = "eve";
  credentials.authorization = std::move(authorization);
  credentials.password = Secret("secret");
  return credentials;
}

// What a file with eve and her password says.
Answer ask(const Credentials& credentials) {
  auto file = PasswdFile::parse(std::string("eve:") + kSha256 + "\n");
  REQUIRE(file);
  std::latch woken(1);
  std::optional<Answer> answer;
  PasswdSource source(
      std::make_shared<Verifier>(1, 10, *file), [&woken] { woken.count_down(); },
      [&answer](Answer given) { answer = std::move(given); });
  Question question;
  question.ticket = {7, 9};
  question.credentials = &credentials;
  REQUIRE(source.ask(question));
  woken.wait();
  source.take_answers();
  REQUIRE(answer);
  CHECK(answer->ticket == net::AnswerTicket{7, 9});
  return std::move(*answer);
}

}  // namespace

TEST_CASE("a user's own password opens the user's own mailbox") {
  CHECK(ask(credentials_of(Mechanism::Plain)).kind == Answer::Kind::Accepted);
  CHECK(ask(credentials_of(Mechanism::Plain, "eve")).kind == Answer::Kind::Accepted);
  CHECK(ask(credentials_of(Mechanism::External)).kind == Answer::Kind::Accepted);
}

TEST_CASE("a user's own password opens nobody else's mailbox") {
  for (const Mechanism mechanism :
       {Mechanism::Command, Mechanism::Plain, Mechanism::Login, Mechanism::External}) {
    CAPTURE(name_of(mechanism));
    const Answer answer = ask(credentials_of(mechanism, "bob"));
    CHECK(answer.kind == Answer::Kind::Refused);
    CHECK(answer.refusal.fault == Fault::NotAuthorized);
  }
}

TEST_CASE("what is no password is not taken for one") {
  for (const Mechanism mechanism : {Mechanism::XOAuth2, Mechanism::OAuthBearer, Mechanism::Relayed}) {
    CAPTURE(name_of(mechanism));
    const Answer answer = ask(credentials_of(mechanism));
    CHECK(answer.kind == Answer::Kind::Refused);
    CHECK(answer.refusal.fault == Fault::AuthUnavailable);
  }
}

}  // namespace postern::auth
