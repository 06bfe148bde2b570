#include "proxy/net/resolver.h"

#include <array>
#include <atomic>
#include <doctest/doctest.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/unit/net/pair.h"

namespace postern::net {

// The system's own names alone: no name server is asked here.
TEST_CASE("a name of the hosts file is answered later, with the asker's ticket") {
  std::vector<std::pair<std::vector<Address>, AnswerTicket>> answers;
  Loop loop({.end_of_turn = {},
             .woken = {},
             .addresses = [&answers](const std::vector<Address>& addresses, AnswerTicket ticket) {
               answers.emplace_back(addresses, ticket);
             }});
  loop.resolve("localhost", {3, 14});
  CHECK(answers.empty());
  loop.resolve("localhost", {4, 15});
  run_until(loop, [&answers] { return answers.size() == 2; });
  CHECK(answers[0].second == AnswerTicket{3, 14});
  CHECK(answers[1].second == AnswerTicket{4, 15});
  REQUIRE_FALSE(answers[0].first.empty());
  CHECK(answers[0].first[0].is_loopback());
  loop.resolve("localhost", {5, 16});  // from memory, and still not from within the call
  CHECK(answers.size() == 2);
  run_until(loop, [&answers] { return answers.size() == 3; });
}

// Answers questions for IPv4 addresses with 192.0.2.7, and falls silent when told.
class NameServer {
 public:
  NameServer() : descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage address{};
    const unsigned size = sockaddr_from(*Endpoint::parse("127.0.0.1:0"), address);
    REQUIRE(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  ~NameServer() {
    ::shutdown(descriptor_, SHUT_RDWR);
    thread_.join();
    ::close(descriptor_);
  }
  std::string name() const {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    return endpoint_from(address).to_string();
  }
  std::atomic<bool> silent = false;

 private:
  // RFC 1035 §4.1: a header of 12 octets, then the question, which ends with its type and class.
  void serve() const {
    std::array<char, 512> packet;
    sockaddr_storage from{};
    for (;;) {
      socklen_t length = sizeof(from);
      const ssize_t size = ::recvfrom(descriptor_, packet.data(), packet.size(), 0,
                                      reinterpret_cast<sockaddr*>(&from), &length);
      if (size <= 0) return;
      if (silent) continue;
      const std::string_view question =
          std::string_view(packet.data(), static_cast<std::size_t>(size)).substr(12);
      const std::string_view name = question.substr(0, question.find('\0') + 1);
      const bool ipv4 = question[name.size() + 1] == 1;
      std::string answer(packet.data(), 2);
      answer.append("\x81\x80\0\1\0", 5).append(1, ipv4 ? '\1' : '\0').append(4, '\0');
      answer.append(question.substr(0, name.size() + 4));
      if (ipv4) answer.append("\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2\x07", 16);
      ::sendto(descriptor_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from),
               length);
    }
  }
  int descriptor_;
  std::thread thread_;
};

TEST_CASE("while name servers are silent, a name that was known is answered within a second or so") {
  NameServer server;
  std::vector<std::vector<Address>> answers;
  Loop loop({.end_of_turn = {}, .woken = {}, .addresses = {}});
  Resolver resolver(
      loop.handle(),
      [&answers](const std::vector<Address>& addresses, AnswerTicket) { answers.push_back(addresses); },
      server.name());
  resolver.resolve("store.example", {}, loop.now());
  run_until(loop, [&answers] { return answers.size() == 1; });
  REQUIRE(answers[0] == std::vector{*Address::parse("192.0.2.7")});

  server.silent = true;
  const Time stale = loop.now() + std::chrono::hours(1);
  const Time asked = loop.now();
  resolver.resolve("store.example", {}, stale);
  run_until(loop, [&answers] { return answers.size() == 2; });
  CHECK(answers[1] == answers[0]);
  CHECK(loop.now() - asked < std::chrono::seconds(3));  // c-ares itself gives up after 6
}

TEST_CASE("a name that cannot exist is answered with nothing") {
  bool answered = false;
  Loop loop({.end_of_turn = {},
             .woken = {},
             .addresses = [&answered](const std::vector<Address>& addresses, AnswerTicket) {
               CHECK(addresses.empty());
               answered = true;
             }});
  loop.resolve("bad name with spaces", {});
  run_until(loop, [&answered] { return answered; });
}

TEST_CASE("a loop may end with a question under way") {
  Loop loop({.end_of_turn = {}, .woken = {}, .addresses = [](const std::vector<Address>&, AnswerTicket) {}});
  loop.resolve("unanswered.invalid", {});
}

}  // namespace postern::net
