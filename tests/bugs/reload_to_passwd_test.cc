#include <doctest/doctest.h>

#include "tests/sim/scene.h"

// A session that began with Dovecot, which decides who may act as whom, met a password file after a reload:
// the file knew nothing of it, and everybody's own password opened every mailbox.

namespace postern::sim {

namespace {

constexpr std::string_view kStore = R"(
[pool.store]
forward = []
login = "master"
master_user = "postern"
master_password_file = ")";

std::string with_auth(const std::string& master_file, const std::string& auth) {
  return config(
      kImap, std::string(kStore) + master_file + "\"\n[pool.store.backends]\ns1 = \"192.0.2.101\"\n", auth);
}

}  // namespace

TEST_CASE("a session asks no source of another kind than its configuration's") {
  TemporaryDirectory folder;
  const std::string master_file = folder.write("master", "master's\n");
  const std::string users =
      folder.write("users", "eve:$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2\n");
  World world(
      with_auth(master_file, "[auth]\nby = \"dovecot\"\ndovecot = { socket = \"192.0.2.200:12345\" }\n"));
  greet(world);
  world.reload(with_auth(master_file, "[auth]\nby = \"passwd\"\npasswd_file = \"" + users + "\"\n"));
  world.client.send("a AUTHENTICATE PLAIN Ym9iAGV2ZQBzZWNyZXQ=\r\n");  // as bob: eve, secret
  world.pass(std::chrono::milliseconds(2100));
  CHECK(take(world.client) == "a NO [UNAVAILABLE] Account is temporarily unavailable.\r\n");
  CHECK(world.dialled.size() == 1);  // the source alone
  world.client.finish();
  world.settle();
  REQUIRE(world.over());
  const std::string log = world.log_line();
  CHECK(log.find("fault=auth_unavailable") != std::string::npos);
  CHECK(log.find("the source of identities went away with a reload") != std::string::npos);
}

}  // namespace postern::sim
