#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/model.h"
#include "parsers/secret.h"
#include "proxy/route/map.h"
#include "proxy/route/redis_cache.h"
#include "proxy/route/redis_connection.h"

namespace postern::route {

// Users in Redis: one GET for all who ask about the same user at once, and none while the answer is fresh.
// While Redis fails, the last good answer is used at any age.
class RedisMap final : public Map, public net::Service {
 public:
  // `settings.redis` is set; `password` is what its password_file holds, empty: no AUTH. `slot` is the one
  // that addresses() comes back with. Must not be destroyed from within Deliver.
  RedisMap(net::Reactor& reactor, const conf::Map& settings, Secret password, std::uint32_t slot,
           Deliver deliver, RedisConnection::Noticed noticed);

  std::optional<MapAnswer> find(std::string_view user, net::AnswerTicket ticket) override;
  void cancel(net::AnswerTicket ticket) override;
  void addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) override {
    redis_.addresses(addresses, ticket);
  }

  bool connected() const { return redis_.ready(); }
  std::size_t cached() const { return cache_.size(); }

 private:
  void answered(const std::string& user, RedisConnection::Result result);
  MapAnswer last_known(std::string_view user, std::string why);

  net::Reactor& reactor_;
  const Deliver deliver_;
  PlaceCache cache_;
  RedisConnection redis_;
  std::unordered_map<std::string, std::vector<net::AnswerTicket>> waiting_;  // by user; some are cancelled
  std::unordered_map<std::uint64_t, std::string> asking_;                    // users of those who still wait
};

}  // namespace postern::route
