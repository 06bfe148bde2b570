#include "proxy/pool/rendezvous.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <map>
#include <string>
#include <vector>

namespace postern::pool {
namespace {

struct Node {
  std::string name;
  unsigned weight = 100;
};

std::string home(const std::string& user, const std::vector<Node>& nodes) {
  return std::ranges::max_element(
             nodes, {},
             [&user](const Node& node) { return score(user, backend_seed(node.name), node.weight); })
      ->name;
}

std::vector<Node> nodes(int count) {
  std::vector<Node> made;
  for (int i = 1; i <= count; ++i) made.push_back({"s" + std::to_string(i)});
  return made;
}

std::string user(int number) { return "user" + std::to_string(number) + "@example.org"; }

}  // namespace

TEST_CASE("the order for a user never changes: computed by another implementation of XXH3") {
  struct Row {
    std::string user;
    std::string order;
    double first_score;  // of s1 with weight 100
  };
  const std::vector<Row> rows{
      {"bob@example.org", "s4 s2 s3 s5 s1", 110.68507163013548},
      {"alice@example.org", "s5 s1 s2 s4 s3", 428.94168801672271},
      {"carol", "s3 s1 s4 s5 s2", 135.36915934108663},
      {"", "s4 s5 s1 s2 s3", 79.917522641494273},
      {std::string(300, 'a'), "s3 s1 s4 s2 s5", 232.54361231729786},
      {"b\xfc"
       "cher@example.org",
       "s5 s3 s2 s4 s1", 77.405744850549837},
      {"x", "s2 s3 s4 s1 s5", 64.781770144016917},
      {"user+tag@example.net", "s3 s4 s1 s5 s2", 73.730640926696452},
  };
  CHECK(backend_seed("s1") == 0x9a275e3f454930d1U);
  for (const Row& row : rows) {
    CAPTURE(row.user);
    std::vector<Node> order = nodes(5);
    std::ranges::sort(order, std::greater<>(), [&row](const Node& node) {
      return score(row.user, backend_seed(node.name), node.weight);
    });
    std::string names;
    for (const Node& node : order) names += (names.empty() ? "" : " ") + node.name;
    CHECK(names == row.order);
    CHECK(score(row.user, backend_seed("s1"), 100) == doctest::Approx(row.first_score).epsilon(1e-12));
    CHECK(score(row.user, backend_seed("s1"), 50) == doctest::Approx(row.first_score / 2).epsilon(1e-12));
  }
}

TEST_CASE("letter case does not move a user, any other octet may") {
  CHECK(canonical_user("Bob@EXAMPLE.org") == "bob@example.org");
  CHECK(canonical_user("B\xc3\x9c@[`{") == "b\xc3\x9c@[`{");
}

TEST_CASE("ten equal members get equal shares within two percent") {
  const auto ten = nodes(10);
  std::map<std::string, int> share;
  const int users = 200'000;
  for (int i = 0; i < users; ++i) ++share[home(user(i), ten)];
  for (const auto& [name, count] : share) {
    CAPTURE(name);
    CHECK(count == doctest::Approx(users / 10.0).epsilon(0.02));
  }
}

TEST_CASE("shares follow the weights, and a weight of 0 gets nobody") {
  const std::vector<Node> unequal{{"a", 100}, {"b", 200}, {"c", 0}, {"d", 100}};
  std::map<std::string, int> share;
  for (int i = 0; i < 100'000; ++i) ++share[home(user(i), unequal)];
  CHECK(share["a"] == doctest::Approx(25'000).epsilon(0.02));
  CHECK(share["b"] == doctest::Approx(50'000).epsilon(0.02));
  CHECK(share["d"] == doctest::Approx(25'000).epsilon(0.02));
  CHECK(share.count("c") == 0);
}

TEST_CASE("when a member leaves, its users move and nobody else") {
  const auto before = nodes(10);
  auto after = before;
  after.erase(after.begin() + 3);
  int moved = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string was = home(user(i), before);
    const std::string is = home(user(i), after);
    if (was != is) {
      REQUIRE(was == "s4");
      ++moved;
    } else {
      REQUIRE(was != "s4");
    }
  }
  CHECK(moved == doctest::Approx(5'000).epsilon(0.05));
}

TEST_CASE("when a member's weight halves, it loses users and nobody else does") {
  const auto before = nodes(10);
  auto after = before;
  after[6].weight = 50;
  int moved = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string was = home(user(i), before);
    if (was == home(user(i), after)) continue;
    REQUIRE(was == "s7");
    ++moved;
  }
  // From 1/10 of the users to 0.5/9.5 of them.
  CHECK(moved == doctest::Approx(50'000 * (0.1 - 0.5 / 9.5)).epsilon(0.06));
}

TEST_CASE("the home does not depend on the order of the members") {
  const auto forwards = nodes(7);
  const std::vector<Node> backwards(forwards.rbegin(), forwards.rend());
  for (int i = 0; i < 1'000; ++i) CHECK(home(user(i), forwards) == home(user(i), backwards));
}

}  // namespace postern::pool
