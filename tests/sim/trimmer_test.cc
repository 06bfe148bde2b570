#include "proxy/trimmer.h"

#include <doctest/doctest.h>

namespace postern {

TEST_CASE("memory goes back once after half of a crowd has left, and not for a few") {
  Trimmer::Rule rule;
  CHECK_FALSE(rule.due(400));
  CHECK_FALSE(rule.due(0));
  CHECK_FALSE(rule.due(8000));
  CHECK_FALSE(rule.due(4001));
  CHECK(rule.due(4000));
  CHECK_FALSE(rule.due(3900));
  CHECK_FALSE(rule.due(4000));
  CHECK(rule.due(2000));
  CHECK(rule.due(100));
  CHECK_FALSE(rule.due(0));
}

}  // namespace postern
