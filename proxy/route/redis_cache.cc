#include "proxy/route/redis_cache.h"

#include <utility>

namespace postern::route {

std::optional<PlaceCache::Known> PlaceCache::find(std::string_view user, Time now) {
  const auto found = index_.find(user);
  if (found == index_.end()) return std::nullopt;
  const auto entry = found->second;
  entries_.splice(entries_.begin(), entries_, entry);
  return Known{entry->place, now < entry->fresh_until};
}

void PlaceCache::store(std::string_view user, std::optional<Place> place, Time now) {
  if (settings_.entries == 0) return;
  const Time fresh_until = now + (place ? settings_.found : settings_.missing);
  if (const auto found = index_.find(user); found != index_.end()) {
    found->second->place = std::move(place);
    found->second->fresh_until = fresh_until;
    return;
  }
  if (entries_.size() == settings_.entries) {
    index_.erase(entries_.back().user);
    entries_.pop_back();
  }
  entries_.push_front({std::string(user), std::move(place), fresh_until});
  index_.emplace(entries_.front().user, entries_.begin());
}

}  // namespace postern::route
