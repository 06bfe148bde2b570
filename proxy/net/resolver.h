#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "parsers/address.h"
#include "proxy/net/reactor.h"
#include "proxy/time.h"

struct uv_loop_s;

namespace postern::net {

// Host names to addresses, without blocking the loop (c-ares: /etc/hosts, then DNS). Answers are kept for
// their time to live, between 1 s and 5 min; while name servers fail, the last good answer goes on being
// used, so that an outage of DNS does not become one of mail: nobody waits for more than a second for a name
// that was known before.
class Resolver {
 public:
  using Answer = std::function<void(const std::vector<Address>& addresses, AnswerTicket ticket)>;

  // `answer` is called from the loop, never from within resolve(). `servers`: comma-separated name servers,
  // each with a port if need be; empty: those of the system.
  Resolver(uv_loop_s* loop, Answer answer, const std::string& servers = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  void resolve(const std::string& host, AnswerTicket ticket, Time now);

 private:
  struct Engine;  // c-ares and its handles in the loop
  struct Entry {
    std::vector<Address> addresses;
    Time fresh_until{};
    bool asking = false;
    std::vector<AnswerTicket> waiting;
  };
  void answered(const std::string& host, std::vector<Address> addresses, std::chrono::seconds time_to_live,
                bool ok);
  void lose_patience(Time now);
  void deliver();

  uv_loop_s* loop_;
  Answer answer_;
  std::map<std::string, Entry> entries_;
  struct Ready {
    std::vector<Address> addresses;
    AnswerTicket ticket;
  };
  std::vector<Ready> ready_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace postern::net
