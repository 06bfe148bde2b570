#include "proxy/route/redis_cache.h"

#include <doctest/doctest.h>

namespace postern::route {

namespace {

const Time kStart{};
constexpr std::chrono::seconds s(int seconds) { return std::chrono::seconds(seconds); }
const Place kBlue{"blue", ""};
const Place kRed{"red", "r1"};

}  // namespace

TEST_CASE("a place and its absence are fresh for their own times, and stay known after that") {
  PlaceCache cache({10, s(60), s(5)});
  CHECK_FALSE(cache.find("bob", kStart));
  cache.store("bob", kBlue, kStart);
  cache.store("eve", std::nullopt, kStart);
  const auto is_fresh = [&cache](std::string_view user, Time now) {
    const auto known = cache.find(user, now);
    REQUIRE(known);
    return known->fresh;
  };
  CHECK(cache.find("bob", kStart)->place == kBlue);
  CHECK(is_fresh("bob", kStart + s(59)));
  CHECK_FALSE(is_fresh("bob", kStart + s(60)));
  CHECK(is_fresh("eve", kStart + s(4)));
  CHECK_FALSE(is_fresh("eve", kStart + s(5)));
  CHECK(cache.find("bob", kStart + std::chrono::hours(1000))->place == kBlue);
  CHECK_FALSE(cache.find("eve", kStart + std::chrono::hours(1000))->place);
}

TEST_CASE("a new answer takes the place of the old one") {
  PlaceCache cache({10, s(60), s(5)});
  cache.store("bob", kBlue, kStart);
  cache.store("bob", kRed, kStart + s(100));
  CHECK(cache.size() == 1);
  CHECK(cache.find("bob", kStart + s(159))->place == kRed);
  CHECK(cache.find("bob", kStart + s(159))->fresh);
  cache.store("bob", std::nullopt, kStart + s(200));
  CHECK_FALSE(cache.find("bob", kStart + s(200))->place);
  CHECK_FALSE(cache.find("bob", kStart + s(205))->fresh);
}

TEST_CASE("whoever was asked about longest ago leaves") {
  PlaceCache cache({3, s(60), s(5)});
  cache.store("a", kBlue, kStart);
  cache.store("b", kBlue, kStart);
  cache.store("c", kBlue, kStart);
  CHECK(cache.find("a", kStart));
  cache.store("d", kBlue, kStart);
  CHECK_FALSE(cache.find("b", kStart));
  for (const std::string_view user : {"a", "c", "d"}) CHECK(cache.find(user, kStart));
  for (int i = 0; i < 1000; ++i) cache.store("a long name of user " + std::to_string(i), kRed, kStart);
  CHECK(cache.size() == 3);
  CHECK(cache.find("a long name of user 999", kStart)->place == kRed);
  CHECK_FALSE(cache.find("a long name of user 996", kStart));
}

TEST_CASE("users that are not there drive out nobody who is") {
  PlaceCache cache({20, s(60), s(5)});
  for (int i = 0; i < 20; ++i) cache.store("user" + std::to_string(i), kBlue, kStart);
  for (int i = 0; i < 1000; ++i) cache.store("guess" + std::to_string(i), std::nullopt, kStart);
  CHECK(cache.size() == 22);
  for (int i = 0; i < 20; ++i) CHECK(cache.find("user" + std::to_string(i), kStart));
  CHECK(cache.find("guess999", kStart));
  cache.store("guess999", kRed, kStart);
  CHECK(cache.find("guess999", kStart)->place == kRed);
  CHECK(cache.size() == 21);
}

TEST_CASE("without entries nothing is kept") {
  PlaceCache cache({0, s(60), s(5)});
  cache.store("bob", kBlue, kStart);
  CHECK_FALSE(cache.find("bob", kStart));
  CHECK(cache.size() == 0);
}

}  // namespace postern::route
