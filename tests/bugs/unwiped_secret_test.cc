#include <cstdlib>
#include <doctest/doctest.h>
#include <malloc.h>
#include <new>
#include <string_view>

#include "proxy/compose_auth.h"
#include "tests/sim/scene.h"

// A secret that was read from its file left copies in memory that was given back: the stream's buffer, and a
// string for each time that it grew.

namespace {

constexpr std::string_view kSecret = "a-secret-of-more-than-sixteen-octets";
thread_local bool watching = false;  // other threads give memory back as well
int left_behind = 0;

void give_back(void* memory) {
  if (watching && memory != nullptr) {
    const std::string_view bytes(static_cast<const char*>(memory), malloc_usable_size(memory));
    left_behind += bytes.find(kSecret.substr(0, 16)) != std::string_view::npos;
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }

namespace postern::sim {

TEST_CASE("a secret that was read from a file leaves no copy behind") {
  TemporaryDirectory folder;
  const std::string file = folder.write("secret", std::string(kSecret) + "\n");
  conf::Environment environment;
  environment.variable = [](const std::string&) { return std::nullopt; };
  environment.host_name = "mail.example.org";
  environment.read_files = false;
  const auto loaded = conf::load(config(kImap, kTwoStores), "sim.toml", environment);
  REQUIRE(loaded.has_value());
  Problems problems;
  watching = true;
  const Secret secret = read_secret(*loaded, "pool.store.master_password_file", file, problems);
  watching = false;
  CHECK(secret.reveal() == kSecret);
  CHECK(left_behind == 0);
  CHECK(problems.empty());
  CHECK(read_secret(*loaded, "pool.store.master_password_file", folder / "none", problems).empty());
  CHECK(problems.size() == 1);
}

}  // namespace postern::sim
