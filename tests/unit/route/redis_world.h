#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "proxy/net/loop.h"
#include "proxy/route/redis_map.h"
#include "tests/unit/net/pair.h"

namespace postern::route {

// A RedisMap on a loop of its own, and what it has answered late.
struct RedisWorld {
  static constexpr std::uint32_t kSlot = net::kServiceSlots + 1;

  explicit RedisWorld(const conf::Map& settings, std::string_view password = {})
      : map(
            loop, settings, Secret(password), kSlot,
            [this](MapAnswer answer) {
              if (on_answer) on_answer(answer);
              answers.push_back(std::move(answer));
            },
            [this](bool connected, const std::string& why) {
              ++notices;
              trouble = why;
              CHECK(connected == why.empty());
            }) {}

  std::optional<MapAnswer> find(std::string_view user, std::uint32_t slot) {
    return map.find(user, {slot, 1});
  }
  bool answered(std::uint32_t slot) const {
    return std::ranges::any_of(answers, [slot](const MapAnswer& each) { return each.ticket.slot == slot; });
  }
  MapAnswer take(std::uint32_t slot) {
    const auto found =
        std::ranges::find_if(answers, [slot](const MapAnswer& each) { return each.ticket.slot == slot; });
    REQUIRE(found != answers.end());
    MapAnswer answer = std::move(*found);
    answers.erase(found);
    return answer;
  }

  std::deque<MapAnswer> answers;
  unsigned notices = 0;  // of a lost connection, or of its return
  std::string trouble;   // what the last of them said
  std::function<void(const MapAnswer&)> on_answer;
  net::Loop loop{{.end_of_turn = {},
                  .woken = {},
                  .addresses = [this](const std::vector<Address>& addresses, net::AnswerTicket ticket) {
                    map.addresses(addresses, ticket);
                  }}};
  RedisMap map;
};

}  // namespace postern::route
