#include <doctest/doctest.h>
#include <vector>

#include "tests/unit/net/pair.h"

namespace postern::net {

// The system's own names alone: no name server is asked here.
TEST_CASE("a name of the hosts file is answered later, with the asker's ticket") {
  std::vector<std::pair<std::vector<Address>, AnswerTicket>> answers;
  Loop loop({.end_of_turn = {},
             .woken = {},
             .addresses = [&answers](const std::vector<Address>& addresses, AnswerTicket ticket) {
               answers.emplace_back(addresses, ticket);
             }});
  loop.resolve("localhost", {3, 14});
  CHECK(answers.empty());
  loop.resolve("localhost", {4, 15});
  run_until(loop, [&answers] { return answers.size() == 2; });
  CHECK(answers[0].second == AnswerTicket{3, 14});
  CHECK(answers[1].second == AnswerTicket{4, 15});
  REQUIRE_FALSE(answers[0].first.empty());
  CHECK(answers[0].first[0].is_loopback());
  loop.resolve("localhost", {5, 16});  // from memory, and still not from within the call
  CHECK(answers.size() == 2);
  run_until(loop, [&answers] { return answers.size() == 3; });
}

TEST_CASE("a name that cannot exist is answered with nothing") {
  bool answered = false;
  Loop loop({.end_of_turn = {},
             .woken = {},
             .addresses = [&answered](const std::vector<Address>& addresses, AnswerTicket) {
               CHECK(addresses.empty());
               answered = true;
             }});
  loop.resolve("bad name with spaces", {});
  run_until(loop, [&answered] { return answered; });
}

TEST_CASE("a loop may end with a question under way") {
  Loop loop({.end_of_turn = {}, .woken = {}, .addresses = [](const std::vector<Address>&, AnswerTicket) {}});
  loop.resolve("unanswered.invalid", {});
}

}  // namespace postern::net
