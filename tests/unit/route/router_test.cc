#include "proxy/route/router.h"

#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <vector>

namespace postern::route {
namespace {

conf::Pool pool(std::string name, std::vector<std::string> backends) {
  conf::Pool made;
  made.name = std::move(name);
  for (std::string& backend : backends)
    made.backends.push_back({.name = std::move(backend), .host = "127.0.0.1"});
  return made;
}

const std::vector<conf::Pool> kPools{pool("store", {"s1", "s2"}), pool("archive", {"a1"})};

// "1 archive a1": the route's number, its pool, its backend if any; "refused" when none matches.
std::string told(const Router& router, const Query& query) {
  const auto match = router.match(query);
  if (!match) return "refused";
  std::string text = std::to_string(match->route) + " " + kPools[match->pool].name;
  if (!match->backend.empty()) text += " " + std::string(match->backend);
  return text;
}

Router router(const std::vector<conf::Route>& routes) {
  auto built = Router::build(routes, kPools);
  REQUIRE(built);
  return std::move(*built);
}

}  // namespace

TEST_CASE("the first route whose conditions all hold wins") {
  const Router routes = router({
      {.user = "root@*", .listener = "", .server_name = "", .pool = "store", .backend = "s2"},
      {.user = "*", .listener = "pop3s", .server_name = "", .pool = "archive", .backend = ""},
      {.user = "*@old.example",
       .listener = "imaps",
       .server_name = "Old.*",
       .pool = "archive",
       .backend = "a1"},
      {.user = "/[a-z]+@(one|two)\\.example/",
       .listener = "",
       .server_name = "",
       .pool = "store",
       .backend = ""},
      {.user = "*", .listener = "", .server_name = "*.guest.example", .pool = "archive", .backend = ""},
  });
  struct Row {
    Query query;
    std::string told;
  };
  const std::vector<Row> rows{
      {{"root@old.example", "pop3s", ""}, "0 store s2"},
      {{"bob@one.example", "pop3s", ""}, "1 archive"},
      {{"bob@old.example", "imaps", "old.example.net"}, "2 archive a1"},
      {{"bob@old.example", "imaps", "OLD.example.NET"}, "2 archive a1"},
      {{"bob@old.example", "imaps", "new.example.net"}, "refused"},
      {{"bob@old.example", "imaps", ""}, "refused"},
      {{"bob@old.example", "imap", "old.example.net"}, "refused"},
      {{"bob@two.example", "imaps", ""}, "3 store"},
      {{"Bob@two.example", "imaps", ""}, "refused"},
      {{"Bob@two.example", "imaps", "x.guest.example"}, "4 archive"},
      {{"Bob@two.example", "imaps", "guest.example"}, "refused"},
      {{"", "pop3s", ""}, "1 archive"},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.query.user));
    CAPTURE(std::string(row.query.server_name));
    CHECK(told(routes, row.query) == row.told);
  }
}

TEST_CASE("without routes everybody is refused") {
  CHECK(told(router({}), {"bob", "imaps", ""}) == "refused");
}

TEST_CASE("a server name of * holds without SNI too") {
  const Router routes =
      router({{.user = "*", .listener = "", .server_name = "*", .pool = "store", .backend = ""}});
  CHECK(told(routes, {"bob", "imaps", ""}) == "0 store");
}

TEST_CASE("every problem is told, with the number of its route") {
  const std::vector<conf::Route> routes{
      {.user = "/(/", .listener = "", .server_name = "", .pool = "stroe", .backend = ""},
      {.user = "*", .listener = "", .server_name = "", .pool = "store", .backend = "s1"},
      {.user = "*", .listener = "", .server_name = "", .pool = "store", .backend = "a1"},
  };
  const auto built = Router::build(routes, kPools);
  REQUIRE_FALSE(built);
  REQUIRE(built.error().size() == 3);
  CHECK(built.error()[0].route == 0);
  CHECK(built.error()[0].text.starts_with("user \"/(/\": "));
  CHECK(built.error()[1].route == 0);
  CHECK(built.error()[1].text == "there is no pool \"stroe\"");
  CHECK(built.error()[2].route == 2);
  CHECK(built.error()[2].text == "pool \"store\" has no backend \"a1\"");
}

TEST_CASE("threads share a router") {
  const Router routes = router({
      {.user = "/a.*z/", .listener = "", .server_name = "", .pool = "archive", .backend = ""},
      {.user = "*", .listener = "", .server_name = "", .pool = "store", .backend = ""},
  });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&routes, thread] {
      for (int i = 0; i < 500; ++i) {
        const std::string user = "a" + std::to_string(i * 4 + thread) + (i % 2 == 0 ? "z" : "y");
        CHECK(told(routes, {user, "imaps", ""}) == (i % 2 == 0 ? "0 archive" : "1 store"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace postern::route
