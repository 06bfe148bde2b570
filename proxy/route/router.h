#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/model.h"
#include "proxy/route/pattern.h"

namespace postern::route {

// A [[route]] that cannot be used: which one, counted from 0, and why, in one sentence.
struct RouteError {
  std::size_t route = 0;
  std::string text;
};

struct Query {
  std::string_view user;  // as the client gave it
  std::string_view listener;
  std::string_view server_name;  // from SNI; empty when there was none
};

struct Match {
  std::size_t route = 0;     // index in the configuration
  std::size_t pool = 0;      // index in the configuration; without meaning when there is a map
  std::string_view backend;  // empty: the pool decides; lives as long as the Router
  std::string_view map;      // not empty: this map says which pool; lives as long as the Router
};

// Which pool a user belongs to: the first route whose conditions all hold. Never changed after it is built;
// shared by all threads.
class Router {
 public:
  // Every problem that was found: a bad pattern, a pool or a backend that does not exist.
  static std::expected<Router, std::vector<RouteError>> build(std::span<const conf::Route> routes,
                                                              std::span<const conf::Pool> pools);

  // The first route from number `first` on. nullopt: no route matches; the login is refused, never guessed
  // (Fault::NoRoute).
  std::optional<Match> match(const Query& query, std::size_t first = 0) const;

  // The condition of a route that does not hold: "listener", "server_name" or "user"; empty: all hold.
  std::string_view why_not(const Query& query, std::size_t route) const;
  std::string_view map_of(std::size_t route) const { return entries_[route].map; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Pattern user;
    std::string listener;                // empty: any
    std::optional<Pattern> server_name;  // nullopt: any, none included
    std::size_t pool;
    std::string backend;
    std::string map;
  };
  explicit Router(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  std::vector<Entry> entries_;
};

}  // namespace postern::route
