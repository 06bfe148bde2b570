#include <algorithm>
#include <re2/re2.h>
#include <string>
#include <string_view>
#include <vector>

#include "conf/checks.h"
#include "conf/suggest.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

template <typename Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const Named& one : all) names.push_back(one.name);
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// `there is no pool "blue"; pools: store, archive; did you mean ...?`
std::string no_such(std::string_view kind, const std::string& name, const std::string& shown,
                    const std::vector<std::string>& names, const std::string& of = "") {
  std::string message = "there is no " + std::string(kind) + " " + shown + of + "; ";
  message += std::string(kind) + "s: " + list(names);
  return message + did_you_mean(name, names);
}

void check_expression(const std::string& user, const std::string& path, Problems& problems) {
  if (!user.starts_with('/')) return;
  if (user.size() < 3 || !user.ends_with('/')) {
    problems.at_value(path, "route.user: a regular expression stands between two slashes, such as \"/^a/\"");
    return;
  }
  const re2::RE2 expression(std::string_view(user).substr(1, user.size() - 2), re2::RE2::Quiet);
  if (!expression.ok())
    problems.at_value(path, "route.user: not a regular expression: " + expression.error());
}

void check_map(const Config& config, const Route& route, const std::string& path, Problems& problems) {
  if (!route.backend.empty() && problems.sound(path + ".backend")) {
    problems.at_value(path + ".backend", "route.backend has no effect with map" +
                                             problems.line_of(path + ".map") +
                                             ": the map names a backend where it wants one");
  }
  const std::vector<std::string> maps = names_of(config.maps);
  if (has(maps, route.map) || !problems.sound("map")) return;
  const std::string shown = problems.shown(path + ".map", route.map);
  const std::string none = "there is no map " + shown + "; write [map.NAME] with file or redis";
  problems.at_value(path + ".map",
                    "route.map: " + (maps.empty() ? none : no_such("map", route.map, shown, maps)));
}

void check_pool_and_backend(const Config& config, const Route& route, const std::string& path,
                            Problems& problems) {
  const auto pool = std::find_if(config.pools.begin(), config.pools.end(),
                                 [&route](const Pool& candidate) { return candidate.name == route.pool; });
  if (pool == config.pools.end()) {
    if (config.pools.empty()) return;  // a problem of its own
    problems.at_value(path + ".pool",
                      "route.pool: " + no_such("pool", route.pool, problems.shown(path + ".pool", route.pool),
                                               names_of(config.pools)));
    return;
  }
  const std::vector<std::string> backends = names_of(pool->backends);
  const std::string backends_path = join("pool", pool->name) + ".backends";
  if (route.backend.empty() || backends.empty() || has(backends, route.backend)) return;
  if (!problems.sound(path + ".backend") || !problems.sound(backends_path)) return;
  problems.at_value(
      path + ".backend",
      "route.backend: " + no_such("backend", route.backend, problems.shown(path + ".backend", route.backend),
                                  backends, " in [" + backends_path + "]" + problems.line_of(backends_path)));
}

void check_place(const Config& config, const Route& route, const std::string& path, Problems& problems) {
  if (!problems.sound(path + ".pool") || !problems.sound(path + ".map")) return;
  if (route.pool.empty() && route.map.empty()) {
    problems.at_key(path + ".pool", "[[route]] needs pool or map");
  } else if (route.map.empty()) {
    check_pool_and_backend(config, route, path, problems);
  } else if (route.pool.empty()) {
    check_map(config, route, path, problems);
  } else {
    problems.at_value(path + ".map", "route.map cannot stand beside pool" + problems.line_of(path + ".pool") +
                                         "; for whom the map does not have, write a further route with pool");
  }
}

}  // namespace

void check_routes(const Config& config, Problems& problems) {
  const std::vector<std::string> listeners = names_of(config.listeners);
  if (config.routes.empty() && config.auth.by == AuthBy::Store && problems.sound("route") &&
      problems.sound("auth.by")) {
    problems.at_value(
        "route", "there is no route, so every login would be refused; write [[route]] with user and pool");
  }
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    const std::string path = element("route", i);
    if (problems.sound(path + ".user")) check_expression(route.user, path + ".user", problems);
    const bool named = !route.listener.empty() && !listeners.empty() && problems.sound(path + ".listener");
    if (named && !has(listeners, route.listener)) {
      problems.at_value(
          path + ".listener",
          "route.listener: " + no_such("listener", route.listener,
                                       problems.shown(path + ".listener", route.listener), listeners));
    }
    check_place(config, route, path, problems);
  }
}

}  // namespace postern::conf
