#include "proxy/route/redis_cache.h"

#include <algorithm>
#include <utility>

namespace postern::route {

std::optional<PlaceCache::Known> PlaceCache::find(std::string_view user, Time now) {
  const auto found = index_.find(user);
  if (found == index_.end()) return std::nullopt;
  const auto entry = found->second;
  Entries& list = list_of(entry->place);
  list.splice(list.begin(), list, entry);
  return Known{entry->place, now < entry->fresh_until};
}

void PlaceCache::store(std::string_view user, std::optional<Place> place, Time now) {
  if (settings_.entries == 0) return;
  const Time fresh_until = now + (place ? settings_.found : settings_.missing);
  const std::size_t most = place ? settings_.entries : std::max<std::size_t>(1, settings_.entries / 10);
  if (const auto found = index_.find(user); found != index_.end()) {
    const auto entry = found->second;
    index_.erase(found);
    list_of(entry->place).erase(entry);
  }
  Entries& list = list_of(place);
  if (list.size() == most) {
    index_.erase(list.back().user);
    list.pop_back();
  }
  list.push_front({std::string(user), std::move(place), fresh_until});
  index_.emplace(list.front().user, list.begin());
}

}  // namespace postern::route
