#include "proxy/trimmer.h"

#include <doctest/doctest.h>

namespace postern {

TEST_CASE("memory goes back once after half of a crowd has left, and not for a few") {
  Trimmer::Rule rule;
  CHECK_FALSE(rule.due(400));
  CHECK_FALSE(rule.due(0));
  CHECK_FALSE(rule.due(0));
  CHECK_FALSE(rule.due(8000));
  CHECK_FALSE(rule.due(4001));
  CHECK_FALSE(rule.due(4001));
  CHECK_FALSE(rule.due(4000));
  CHECK(rule.due(4000));
  CHECK_FALSE(rule.due(4000));
}

TEST_CASE("memory goes back when nobody leaves any more") {
  Trimmer::Rule rule;
  for (unsigned sessions = 8000; sessions > 1000; sessions -= 1000) CHECK_FALSE(rule.due(sessions));
  CHECK_FALSE(rule.due(1000));
  CHECK(rule.due(1010));
}

}  // namespace postern
