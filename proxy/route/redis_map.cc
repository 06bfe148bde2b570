#include "proxy/route/redis_map.h"

#include <utility>

namespace postern::route {

namespace {

std::uint64_t key_of(net::AnswerTicket ticket) {
  return std::uint64_t{ticket.slot} << 32 | ticket.generation;
}

}  // namespace

RedisMap::RedisMap(net::Reactor& reactor, const conf::Map& settings, Secret password, std::uint32_t slot,
                   Deliver deliver, RedisConnection::Noticed noticed)
    : reactor_(reactor),
      deliver_(std::move(deliver)),
      cache_({settings.cache.entries, settings.cache.found, settings.cache.missing}),
      redis_(
          reactor, *settings.redis, std::move(password), slot,
          [this](const std::string& user, RedisConnection::Result result) {
            answered(user, std::move(result));
          },
          std::move(noticed)) {}

std::optional<MapAnswer> RedisMap::find(std::string_view user, net::AnswerTicket ticket) {
  MapAnswer answer;
  const auto known = cache_.find(user, reactor_.now());
  if (known && known->fresh) {
    answer.place = known->place;
    answer.cached = true;
  } else if (known && !redis_.ready()) {
    answer = last_known(user, redis_.trouble());
  } else {
    std::string name(user);
    const bool asked = waiting_.contains(name) || redis_.get(name);
    if (asked) {
      waiting_[name].push_back(ticket);
      asking_.insert_or_assign(key_of(ticket), std::move(name));
      return std::nullopt;
    }
    answer = last_known(user, "too many questions are under way");
  }
  answer.ticket = ticket;
  return answer;
}

void RedisMap::cancel(net::AnswerTicket ticket) { asking_.erase(key_of(ticket)); }

MapAnswer RedisMap::last_known(std::string_view user, std::string why) {
  MapAnswer answer;
  if (auto known = cache_.find(user, reactor_.now())) {
    answer.place = std::move(known->place);
    answer.stale = true;
  } else {
    answer.fault = Fault::LookupUnavailable;
    answer.detail = std::move(why);
  }
  return answer;
}

void RedisMap::answered(const std::string& user, RedisConnection::Result result) {
  MapAnswer answer;
  if (result.kind == RedisConnection::Result::Kind::Failed) {
    answer = last_known(user, std::move(result.text));
  } else {
    if (result.kind == RedisConnection::Result::Kind::Found) answer.place = Place::parse(result.text);
    if (result.kind == RedisConnection::Result::Kind::Found && !answer.place) {
      answer.fault = Fault::LookupInvalid;
      answer.detail = "a value that is neither pool nor pool/backend";
    } else {
      cache_.store(user, answer.place, reactor_.now());
    }
  }
  const auto node = waiting_.extract(user);
  if (node.empty()) return;
  for (const net::AnswerTicket ticket : node.mapped()) {
    // Whoever was told before may have cancelled for this one, or asked about another user in its name.
    const auto asking = asking_.find(key_of(ticket));
    if (asking == asking_.end() || asking->second != user) continue;
    asking_.erase(asking);
    MapAnswer copy = answer;
    copy.ticket = ticket;
    deliver_(std::move(copy));
  }
}

}  // namespace postern::route
