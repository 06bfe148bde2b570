#include "proxy/route/router.h"

#include <algorithm>

namespace postern::route {

std::expected<Router, std::vector<RouteError>> Router::build(std::span<const conf::Route> routes,
                                                             std::span<const conf::Pool> pools) {
  std::vector<Entry> entries;
  std::vector<RouteError> errors;
  for (std::size_t index = 0; index < routes.size(); ++index) {
    const conf::Route& route = routes[index];
    const std::size_t before = errors.size();
    const auto wrong = [&errors, index](std::string text) { errors.push_back({index, std::move(text)}); };

    auto user = Pattern::user(route.user);
    if (!user) wrong("user \"" + route.user + "\": " + user.error());

    std::optional<Pattern> server_name;
    if (!route.server_name.empty()) {
      auto pattern = Pattern::glob(route.server_name, Pattern::Case::Ignored);
      if (pattern) {
        server_name = std::move(*pattern);
      } else {
        wrong("server_name \"" + route.server_name + "\": " + pattern.error());
      }
    }

    const auto pool = std::ranges::find(pools, route.pool, &conf::Pool::name);
    if (!route.map.empty()) {
      // The map names the pool.
    } else if (pool == pools.end()) {
      wrong("there is no pool \"" + route.pool + "\"");
    } else if (!route.backend.empty() && std::ranges::find(pool->backends, route.backend,
                                                           &conf::Backend::name) == pool->backends.end()) {
      wrong("pool \"" + route.pool + "\" has no backend \"" + route.backend + "\"");
    }

    if (errors.size() != before) continue;
    entries.push_back({std::move(*user), route.listener, std::move(server_name),
                       static_cast<std::size_t>(pool - pools.begin()), route.backend, route.map});
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return Router(std::move(entries));
}

std::optional<Match> Router::match(const Query& query, std::size_t first) const {
  for (std::size_t index = first; index < entries_.size(); ++index) {
    const Entry& entry = entries_[index];
    if (why_not(query, index).empty()) return Match{index, entry.pool, entry.backend, entry.map};
  }
  return std::nullopt;
}

std::string_view Router::why_not(const Query& query, std::size_t route) const {
  const Entry& entry = entries_[route];
  if (!entry.listener.empty() && entry.listener != query.listener) return "listener";
  if (entry.server_name && !entry.server_name->matches(query.server_name)) return "server_name";
  if (!entry.user.matches(query.user)) return "user";
  return {};
}

}  // namespace postern::route
