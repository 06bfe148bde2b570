#include <string>
#include <string_view>

#include "conf/checks.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

// One map with the names of its keys.
class MapCheck {
 public:
  MapCheck(const Map& map, Problems& problems)
      : map_(map), problems_(problems), table_(join("map", map.name)) {}

  void run() {
    if (!problems_.sound(path("file")) || !problems_.sound(path("redis"))) return;
    if (map_.redis && !map_.file.empty()) {
      fail("redis", "cannot stand beside file" + problems_.line_of(path("file")) + ": a map has one place");
    } else if (map_.redis) {
      redis(*map_.redis);
    } else if (map_.file.empty()) {
      problems_.at_key(table_, table_ + " needs file or redis");
    } else if (!problems_.line_of(path("cache")).empty() && problems_.sound(path("cache"))) {
      fail("cache", "has no effect with file" + problems_.line_of(path("file")) + ": a file is in memory");
    }
  }

 private:
  std::string path(std::string_view key) const { return table_ + "." + std::string(key); }
  void fail(std::string_view key, const std::string& message) {
    problems_.at_value(path(key), path(key) + " " + message);
  }

  void redis(const Map::Redis& redis) {
    if (redis.key.find("{user}") == std::string::npos)
      fail("redis.key", "must have {user} in it, or every user would have the same place, not " +
                            problems_.shown(path("redis.key"), redis.key));
    if (!redis.user.empty() && redis.password_file.empty())
      fail("redis.user", "has no effect without password_file");
  }

  const Map& map_;
  Problems& problems_;
  const std::string table_;
};

}  // namespace

void check_maps(const Config& config, Problems& problems) {
  for (const Map& map : config.maps) MapCheck(map, problems).run();
}

}  // namespace postern::conf
