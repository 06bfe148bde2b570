#include <doctest/doctest.h>
#include <malloc.h>

#include "proxy/tls/library.h"
#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POSTERN_OWN_MALLOC 0
#else
#define POSTERN_OWN_MALLOC 1
#endif

namespace postern::tls {
namespace {

// What a stream holds at rest, malloc's own bytes included: the difference that its destruction makes. It is
// the number that README.md states.
#if POSTERN_OWN_MALLOC
constexpr std::size_t kStreams = 500;

std::size_t freed_by(std::vector<Stream>& streams) {
  const std::size_t before = ::mallinfo2().uordblks;
  streams.clear();
  return (before - ::mallinfo2().uordblks) / kStreams;
}

struct Weights {
  std::size_t front;
  std::size_t back;
};

Weights weigh(ServerContext& server, ClientContext& client, bool use, bool resume) {
  std::vector<Stream> fronts;
  std::vector<Stream> backs;
  fronts.reserve(kStreams);
  backs.reserve(kStreams);
  std::string to_back;
  std::string to_front;
  const std::string text(std::size_t{16} * 1024, 't');
  for (std::size_t i = 0; i < kStreams; ++i) {
    fronts.push_back(server.accept(Protocol::Imap));
    backs.push_back(client.connect("mail.example.org", resume ? "one" : std::to_string(i)));
    REQUIRE(meet(backs.back(), fronts.back()).done());
    if (!use) continue;
    fronts.back().encrypt(text, to_back);
    CHECK(decrypt_all(backs.back(), to_back, to_front) == text);
    backs.back().encrypt(text, to_front);
    to_back.clear();
    CHECK(decrypt_all(fronts.back(), to_front, to_back) == text);
    to_front.clear();
    to_back.clear();
  }
  return {.front = freed_by(fronts), .back = freed_by(backs)};
}

TEST_CASE("a stream whose client was asked for a certificate and has none is no larger") {
  const CertificateFiles files = authority().issue({});
  const auto client = ClientContext::create({.ca_file = authority().root_file()});
  const auto plain = ServerContext::create({.certificates = {files}});
  const auto asking = ServerContext::create({.certificates = {files}, .client_ca = authority().root_file()});
  REQUIRE(plain.has_value());
  REQUIRE(asking.has_value());
  CHECK(weigh(**asking, **client, true, false).front <= weigh(**plain, **client, true, false).front + 16);
}

TEST_CASE("a stream at rest is small") {
  const auto server = ServerContext::create({.certificates = {authority().issue({})}});
  const auto client = ClientContext::create({.ca_file = authority().root_file()});
  REQUIRE(server.has_value());
  REQUIRE(client.has_value());
  const Weights fresh = weigh(**server, **client, false, false);
  const Weights used = weigh(**server, **client, true, false);
  const Weights resumed = weigh(**server, **client, true, true);
  MESSAGE("heap per stream in bytes, front/back: after the handshake ", fresh.front, "/", fresh.back,
          ", after 16 KiB each way ", used.front, "/", used.back, ", resumed ", resumed.front, "/",
          resumed.back);
  constexpr std::size_t kLimit = 3400;
  CHECK(fresh.front <= kLimit);
  CHECK(used.front <= kLimit);
  CHECK(resumed.front <= kLimit);
  CHECK(used.back <= kLimit);
}
#endif

}  // namespace
}  // namespace postern::tls
