#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/route/map.h"
#include "proxy/time.h"

namespace postern::route {

// What a map has answered of late, user by user. When it is full, the user who was asked about longest ago
// leaves; users that are not there have room of their own, a tenth, so that guessed names drive nobody out.
// An answer that is not fresh any more stays, for the time when nothing better is to be had.
class PlaceCache {
 public:
  // How long an answer is fresh: a place, and that there is none. With 0 entries nothing is kept.
  struct Settings {
    std::size_t entries = 0;
    Duration found{0};
    Duration missing{0};
  };
  explicit PlaceCache(Settings settings) : settings_(settings) {}
  PlaceCache(const PlaceCache&) = delete;
  PlaceCache& operator=(const PlaceCache&) = delete;

  struct Known {
    std::optional<Place> place;  // nullopt: the map does not have this user
    bool fresh = false;
  };
  std::optional<Known> find(std::string_view user, Time now);
  void store(std::string_view user, std::optional<Place> place, Time now);

  std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string user;
    std::optional<Place> place;
    Time fresh_until;
  };
  using Entries = std::list<Entry>;  // the one that was asked about last comes first
  Entries& list_of(const std::optional<Place>& place) { return place ? placed_ : missing_; }

  Settings settings_;
  Entries placed_, missing_;
  std::unordered_map<std::string_view, Entries::iterator> index_;
};

}  // namespace postern::route
