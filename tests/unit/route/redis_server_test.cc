#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <memory>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/temporary_directory.h"
#include "tests/unit/route/redis_world.h"

// With Redis itself: what a fake cannot know.

namespace postern::route {

namespace {

constexpr const char* kBinary = "/usr/bin/redis-server";

class Server {
 public:
  Server() { start(); }
  ~Server() { stop(); }

  void start() {
    std::string arguments[] = {kBinary,        "--port",    "0",  "--unixsocket", path(), "--dir",
                               folder_.path(), "--save",    "",   "--appendonly", "no",   "--requirepass",
                               "s e cret",     "--logfile", "log"};
    std::vector<char*> pointers;
    pointers.reserve(std::size(arguments) + 1);
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    REQUIRE(::posix_spawn(&process_, kBinary, nullptr, nullptr, pointers.data(), environ) == 0);
  }
  void stop() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
    std::filesystem::remove(path());
  }
  // SIGSTOP, SIGCONT
  void signal(int number) const { ::kill(process_, number); }

  // One command, and the first line of its reply.
  std::string say(std::initializer_list<std::string_view> words) {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path().c_str(), sizeof name.sun_path - 1);
    std::string received;
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0) {
      const std::string sent = std::string(write_redis({"AUTH", "s e cret"}).reveal()) +
                               std::string(write_redis({"SELECT", "2"}).reveal()) +
                               std::string(write_redis(words).reveal());
      CHECK(::send(descriptor, sent.data(), sent.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(sent.size()));
      char chunk[4096];
      ssize_t size = 0;
      while (std::ranges::count(received, '\n') < 3 &&
             (size = ::recv(descriptor, chunk, sizeof chunk, 0)) > 0) {
        received.append(chunk, static_cast<std::size_t>(size));
      }
    }
    ::close(descriptor);
    return received;
  }

  std::string path() const { return folder_ / "socket"; }

 private:
  TemporaryDirectory folder_;
  pid_t process_ = -1;
};

conf::Map settings(const Server& server) {
  conf::Map map;
  map.redis = conf::Map::Redis{.host = {},
                               .port = 0,
                               .path = server.path(),
                               .key = "user:{user}",
                               .user = "default",
                               .password_file = {},
                               .database = 2,
                               .timeout = std::chrono::seconds(5),
                               .in_flight = 1000};
  map.cache = {.entries = 1000, .found = Duration(0), .missing = Duration(0)};
  return map;
}

struct Stage {
  Server server;
  RedisWorld world{settings(server), "s e cret"};

  void until(const std::function<bool()>& done) { net::run_until(world.loop, done); }
  void connect() {
    until([this] { return world.map.connected(); });
  }
  MapAnswer ask(std::string_view user) {
    static std::uint32_t slot = 0;
    REQUIRE_FALSE(world.find(user, ++slot));
    const std::uint32_t mine = slot;
    until([this, mine] { return world.answered(mine); });
    return world.take(mine);
  }
};

bool missing_binary() {
  if (std::filesystem::exists(kBinary)) return false;
  MESSAGE("skipped: there is no redis-server");
  return true;
}

}  // namespace

TEST_CASE("Redis itself answers") {
  if (missing_binary()) return;
  Stage stage;
  stage.connect();
  const std::string strange("b\0o\r\nb\xff {user}", 14);
  stage.server.say({"SET", "user:bob", "blue/b1"});
  stage.server.say({"SET", "user:" + strange, "red"});
  stage.server.say({"SET", "user:bad", "no place"});
  stage.server.say({"LPUSH", "user:list", "blue"});
  CHECK(stage.ask("bob").place == Place{"blue", "b1"});
  CHECK(stage.ask(strange).place == Place{"red", ""});
  CHECK(stage.ask("bad").fault == Fault::LookupInvalid);
  const MapAnswer list = stage.ask("list");
  CHECK(list.fault == Fault::LookupUnavailable);
  CHECK(list.detail == "Redis says WRONGTYPE");
  const MapAnswer nobody = stage.ask("nobody");
  CHECK(nobody.fault == Fault::None);
  CHECK_FALSE(nobody.place);
}

TEST_CASE("many questions at once are answered, each with its own") {
  if (missing_binary()) return;
  Stage stage;
  stage.connect();
  for (std::uint32_t i = 0; i < 50; ++i) {
    stage.server.say({"SET", "user:u" + std::to_string(i), "pool" + std::to_string(i)});
  }
  for (std::uint32_t i = 0; i < 100; ++i) CHECK_FALSE(stage.world.find("u" + std::to_string(i), 1000 + i));
  stage.until([&stage] { return stage.world.answers.size() == 100; });
  for (std::uint32_t i = 0; i < 100; ++i) {
    const MapAnswer answer = stage.world.take(1000 + i);
    CHECK(answer.fault == Fault::None);
    if (i < 50) CHECK(answer.place == Place{"pool" + std::to_string(i), ""});
    if (i >= 50) CHECK_FALSE(answer.place);
  }
}

TEST_CASE("Redis goes and comes back") {
  if (missing_binary()) return;
  Stage stage;
  stage.connect();
  stage.server.say({"SET", "user:bob", "blue"});
  CHECK_FALSE(stage.ask("bob").stale);
  stage.server.signal(SIGSTOP);
  CHECK_FALSE(stage.world.find("bob", 1));
  stage.server.stop();
  stage.until([&stage] { return !stage.world.map.connected(); });
  const auto known = stage.world.find("bob", 2);
  REQUIRE(known);
  CHECK(known->stale);
  CHECK(known->place == Place{"blue", ""});
  stage.server.start();
  stage.connect();
  // The memory of the new one is empty: what is asked now is not stale, and what it says counts.
  stage.until([&stage] { return stage.world.answered(1); });
  CHECK_FALSE(stage.world.take(1).place);
  stage.server.say({"SET", "user:bob", "red"});
  CHECK(stage.ask("bob").place == Place{"red", ""});
}

TEST_CASE("a wrong password is told") {
  if (missing_binary()) return;
  Server server;
  RedisWorld world(settings(server), "wrong");
  net::run_until(world.loop, [&world] { return world.trouble.contains("WRONGPASS"); });
  CHECK_FALSE(world.map.connected());
}

}  // namespace postern::route
