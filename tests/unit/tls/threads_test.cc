#include <atomic>
#include <doctest/doctest.h>
#include <thread>

#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

TEST_CASE("several threads share one context of each side") {
  const auto server = ServerContext::create(
      {.certificates = {authority().issue({}), authority().issue({.key = Key::Rsa2048})}});
  const auto client = ClientContext::create({.ca_file = authority().root_file()});
  REQUIRE(server.has_value());
  REQUIRE(client.has_value());
  std::atomic<int> done = 0;
  std::atomic<int> resumed = 0;
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&server, &client, &done, &resumed, t] {
      for (int i = 0; i < kRounds; ++i) {
        Stream back = (*client)->connect("mail.example.org", i % 2 == 0 ? "shared" : std::to_string(t));
        Stream front = (*server)->accept(Protocol::Imap);
        if (!meet(back, front).done()) continue;
        std::string to_client;
        std::string to_server;
        std::string plain(kDecryptSlack + 4096, '\0');
        std::size_t size = 0;
        front.encrypt("* OK\r\n", to_client);
        if (back.decrypt(to_client, plain, size, to_server) == Status::Done && size == 6) ++done;
        if (front.agreement().resumed) ++resumed;
      }
    });
  }
  threads.clear();
  CHECK(done == kThreads * kRounds);
  CHECK(resumed > 0);
}

}  // namespace
}  // namespace postern::tls
