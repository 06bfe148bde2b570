#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/reactor.h"
#include "proxy/observe/log.h"
#include "proxy/snapshot.h"

namespace postern {

class Probe;

// Asks every backend, at its pool's interval, whether it serves: connects, and as far as the pool's health
// check says speaks TLS and reads its greeting and capabilities. A backend is asked in each protocol in which
// users can come to its pool, and is well when all of them answer: half a store is none. A pool to which
// nothing leads is not asked. Belongs to one loop, but for silent_pools().
class Prober {
 public:
  Prober(net::Reactor& reactor, observe::Log& log);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober();

  // From now on these pools are asked.
  void use(std::shared_ptr<const Snapshot> snapshot);
  void on_addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket);
  void stop();

  // Of any thread: the pools that are asked and in which no backend has answered its last check; empty:
  // ready.
  std::vector<std::string> silent_pools() const;

 private:
  friend class Probe;
  struct Target {
    std::size_t pool;
    const pool::Backend* backend;
    std::uint32_t number = 0;
    std::vector<std::unique_ptr<Probe>> probes{};  // under way, one per protocol
    std::size_t running = 0;
    std::string problem{};  // of the first that failed
  };
  class Tick final : public net::Timer {
   public:
    explicit Tick(Prober& prober) : prober_(prober) {}

   private:
    void expired(Time now) override { prober_.look(now); }
    Prober& prober_;
  };

  void look(Time now);
  void begin(Target& target);
  void finished(std::uint32_t target, std::string problem);

  net::Reactor& reactor_;
  observe::Log& log_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Target> targets_;
  std::vector<std::unique_ptr<Probe>> ended_;  // freed with the next look
  std::uint32_t generation_ = 0;
  std::minstd_rand random_;
  Tick tick_;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::string> pools_;
  std::set<std::pair<std::string, std::string>> answered_;  // pool and backend, at its last check
};

}  // namespace postern
