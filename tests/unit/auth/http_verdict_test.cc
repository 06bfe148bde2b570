#include "proxy/auth/http_verdict.h"

#include <doctest/doctest.h>
#include <string>
#include <utility>
#include <vector>

namespace postern::auth {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::variant<Answer, AskAgain> verdict_of(const Fields& fields, unsigned status = 200,
                                          Mechanism mechanism = Mechanism::Plain, bool named = true) {
  HttpAnswer answer;
  answer.status = status;
  for (const auto& [name, value] : fields) answer.fields.push_back({name, Secret(value)});
  return read_verdict(answer, mechanism, named);
}

Answer answer_of(const Fields& fields, unsigned status = 200, Mechanism mechanism = Mechanism::Plain,
                 bool named = true) {
  auto verdict = verdict_of(fields, status, mechanism, named);
  REQUIRE(std::holds_alternative<Answer>(verdict));
  return std::get<Answer>(std::move(verdict));
}

TEST_CASE("OK names a store, a pool, or neither") {
  const Answer bare = answer_of({{"auth-status", "OK"}});
  CHECK(bare.kind == Answer::Kind::Accepted);
  CHECK(bare.destination.host.empty());
  CHECK(bare.destination.user.empty());
  CHECK(bare.destination.password.empty());

  const Answer full = answer_of({{"Auth-Status", "OK"},
                                 {"Auth-Server", "store-1.example.org"},
                                 {"Auth-Port", "143"},
                                 {"Auth-User", "ann at store"},
                                 {"Auth-Pass", "other\xc3\xbc%20"},
                                 {"Auth-Pool", "blue"},
                                 {"Auth-Backend", "s1"},
                                 {"Auth-Wait", "nonsense is ignored here"}});
  CHECK(full.kind == Answer::Kind::Accepted);
  CHECK(full.refusal.fault == Fault::None);
  CHECK(full.destination.host == "store-1.example.org");
  CHECK(full.destination.port == 143);
  CHECK(full.destination.user.empty());
  CHECK(full.destination.store_user == "ann at store");
  CHECK(full.destination.password.reveal() == "other\xc3\xbc%20");  // not unescaped
  CHECK(full.destination.pool == "blue");
  CHECK(full.destination.backend == "s1");

  for (const char* host : {"192.0.2.1", "2001:db8::1", "store", "a_b.example."})
    CHECK(
        answer_of({{"Auth-Status", "OK"}, {"Auth-Server", host}, {"Auth-Port", "65535"}}).destination.host ==
        host);
}

TEST_CASE("a token's user may come with the answer, and must when the client told none") {
  const Answer named =
      answer_of({{"Auth-Status", "OK"}, {"Auth-User", "ann"}}, 200, Mechanism::OAuthBearer, true);
  CHECK(named.destination.user.empty());
  CHECK(named.destination.store_user == "ann");
  const Answer nameless =
      answer_of({{"Auth-Status", "OK"}, {"Auth-User", "ann"}}, 200, Mechanism::OAuthBearer, false);
  CHECK(nameless.destination.user == "ann");
  CHECK(nameless.destination.store_user.empty());
  const Answer nobody = answer_of({{"Auth-Status", "OK"}}, 200, Mechanism::OAuthBearer, false);
  CHECK(nobody.refusal.fault == Fault::AuthProtocol);
  CHECK(nobody.detail == "Auth-User is missing: the login had no user name");
}

TEST_CASE("what is missing or malformed is the service's fault, and is named") {
  const std::string long_name(256, 'x');
  struct Row {
    Fields fields;
    std::string detail;
  };
  const Row rows[] = {
      {{}, "Auth-Status is missing"},
      {{{"Auth-Status", ""}}, "Auth-Status is empty"},
      {{{"Auth-Status", "OK"}, {"Auth-Status", "OK"}}, "Auth-Status is repeated"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "192.0.2.1"}}, "Auth-Port is missing"},
      {{{"Auth-Status", "OK"}, {"Auth-Port", "143"}}, "Auth-Server is missing"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "192.0.2.1"}, {"Auth-Port", "0"}},
       "Auth-Port is not a number from 1 to 65535"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "192.0.2.1"}, {"Auth-Port", "65536"}},
       "Auth-Port is not a number from 1 to 65535"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "192.0.2.1"}, {"Auth-Port", "143x"}},
       "Auth-Port is not a number from 1 to 65535"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "192.0.2.1"}, {"Auth-Port", "-1"}},
       "Auth-Port is not a number from 1 to 65535"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "192.0.2.1"}, {"Auth-Port", "99999999999"}},
       "Auth-Port is not a number from 1 to 65535"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "unix:/run/x"}, {"Auth-Port", "1"}}, "Auth-Server is no host"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "a b"}, {"Auth-Port", "1"}}, "Auth-Server is no host"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", ""}, {"Auth-Port", "1"}}, "Auth-Server is empty"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", long_name}, {"Auth-Port", "1"}}, "Auth-Server is too long"},
      {{{"Auth-Status", "OK"}, {"Auth-Server", "a"}, {"Auth-Server", "b"}, {"Auth-Port", "1"}},
       "Auth-Server is repeated"},
      {{{"Auth-Status", "OK"}, {"Auth-User", "a\tb"}}, "Auth-User is not printable"},
      {{{"Auth-Status", "OK"}, {"Auth-Pass", ""}}, "Auth-Pass is empty"},
      {{{"Auth-Status", "OK"}, {"Auth-Pass", "a\x7f"}}, "Auth-Pass is not printable"},
      {{{"Auth-Status", "OK"}, {"Auth-Pool", ""}}, "Auth-Pool is empty"},
      {{{"Auth-Status", "OK"}, {"Auth-Backend", "a"}, {"auth-backend", "a"}}, "Auth-Backend is repeated"},
      {{{"Auth-Status", "OK"}, {"Auth-Backend", "a"}}, "Auth-Backend without Auth-Pool"},
      {{{"Auth-Status", "WAIT"}, {"Auth-Wait", "soon"}}, "Auth-Wait is not a number from 0 to 86400"},
      {{{"Auth-Status", "No"}, {"Auth-Wait", "-3"}}, "Auth-Wait is not a number from 0 to 86400"},
      {{{"Auth-Status", "No"}, {"Auth-Wait", "86401"}}, "Auth-Wait is not a number from 0 to 86400"},
      {{{"Auth-Status", "No"}, {"Auth-Error-SASL", "e30"}}, "Auth-Error-SASL is not base64"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.detail);
    const Answer answer = answer_of(row.fields, 200, Mechanism::XOAuth2);
    CHECK(answer.kind == Answer::Kind::Refused);
    CHECK(answer.refusal.fault == Fault::AuthProtocol);
    CHECK(answer.detail == row.detail);
    CHECK_FALSE(answer.close);
  }
}

TEST_CASE("a refusal has the service's words, and ends the session unless it says how long to wait") {
  const Answer plain = answer_of({{"Auth-Status", "Invalid login or password"}});
  CHECK(plain.kind == Answer::Kind::Refused);
  CHECK(plain.refusal == Refusal{Fault::BadCredentials, "", "Invalid login or password"});
  CHECK(plain.close);
  CHECK(plain.wait == Duration(0));

  const Answer zero = answer_of({{"Auth-Status", "No"}, {"Auth-Wait", "0"}});
  CHECK(zero.close);
  const Answer patient =
      answer_of({{"Auth-Status", "No"}, {"Auth-Wait", "3"}, {"Auth-Error-Code", "454 4.3.0"}});
  CHECK_FALSE(patient.close);
  CHECK(patient.wait == std::chrono::seconds(3));
  CHECK(patient.refusal.code.empty());

  // As in nginx, a word that is only like OK is a refusal.
  for (const char* words : {"ok", "Ok", "OK.", "OKAY", "WAITING", "wait"})
    CHECK(answer_of({{"Auth-Status", words}}).refusal == Refusal{Fault::BadCredentials, "", words});
}

TEST_CASE("the words are one line of bounded length") {
  CHECK(clean_words("a\tb\r\nc\x7f") == "abc");
  CHECK(clean_words(std::string("a\0b", 3)) == "ab");
  CHECK(clean_words(std::string(400, 'x')) == std::string(400, 'x'));
  CHECK(clean_words(std::string(5000, 'x')) == std::string(400, 'x'));
  const std::string u = "\xc3\xbc";
  CHECK(clean_words(std::string(399, 'x') + u) == std::string(399, 'x'));
  CHECK(clean_words(std::string(398, 'x') + u) == std::string(398, 'x') + u);
  CHECK(clean_words(std::string(398, 'x') + u + u) == std::string(398, 'x') + u);
  CHECK(clean_words(std::string(500, '\x80')).empty());
  CHECK(answer_of({{"Auth-Status", "\t"}}).refusal.text.empty());
}

TEST_CASE("a token's refusal tells the client more, where it asked with a token") {
  const Fields fields{{"Auth-Status", "No"}, {"Auth-Error-SASL", "eyJzdGF0dXMiOiI0MDEifQ=="}};
  for (const Mechanism mechanism : {Mechanism::XOAuth2, Mechanism::OAuthBearer})
    CHECK(answer_of(fields, 200, mechanism).challenge == R"({"status":"401"})");
  CHECK(answer_of(fields).challenge.empty());
}

TEST_CASE("WAIT asks again") {
  const auto at_once = verdict_of({{"Auth-Status", "WAIT"}});
  REQUIRE(std::holds_alternative<AskAgain>(at_once));
  CHECK(std::get<AskAgain>(at_once).time == Duration(0));
  const auto later = verdict_of({{"Auth-Status", "WAIT"}, {"Auth-Wait", "7"}});
  REQUIRE(std::holds_alternative<AskAgain>(later));
  CHECK(std::get<AskAgain>(later).time == std::chrono::seconds(7));
}

TEST_CASE("a status that is not 2xx is an outage, unless the service speaks the contract all the same") {
  for (const unsigned status : {300U, 302U, 400U, 401U, 403U, 404U, 500U, 502U, 503U, 599U}) {
    const Answer outage = answer_of({{"WWW-Authenticate", "Basic"}}, status);
    CHECK(outage.kind == Answer::Kind::Refused);
    CHECK(outage.refusal.fault == Fault::AuthUnavailable);
    CHECK(outage.detail == "HTTP status " + std::to_string(status));
    CHECK(answer_of({{"Auth-Status", "No"}}, status).refusal.fault == Fault::BadCredentials);
    CHECK(answer_of({{"Auth-Status", "OK"}}, status).kind == Answer::Kind::Accepted);
  }
  for (const unsigned status : {200U, 201U, 204U, 299U}) {
    CHECK(answer_of({{"Auth-Status", "OK"}}, status).kind == Answer::Kind::Accepted);
    CHECK(answer_of({}, status).refusal.fault == Fault::AuthProtocol);
  }
}

}  // namespace
}  // namespace postern::auth
