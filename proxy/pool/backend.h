#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "conf/model.h"
#include "parsers/protocol.h"
#include "proxy/pool/health.h"

namespace postern::pool {

// What outlives a reload: the counts and the health of the backend that has this pool, name and host.
struct BackendState {
  Health health;
  std::atomic<unsigned> sessions{0};
  std::atomic<unsigned> pending_logins{0};
  std::atomic<std::uint64_t> logins{0};    // that the store accepted
  std::atomic<std::uint64_t> failures{0};  // that speak against the backend
  std::atomic<std::uint64_t> ejections{0};
};

// One member of a pool: what the configuration says, never changed, and its shared state. Lives as long as
// its Pool.
class Backend {
 public:
  Backend(const conf::Pool& pool, const conf::Backend& settings, std::shared_ptr<BackendState> state);

  const std::string& pool() const { return pool_; }
  const std::string& name() const { return name_; }
  const std::string& host() const { return host_; }  // an address or a host name
  std::uint16_t port(Protocol protocol) const { return ports_[static_cast<std::size_t>(protocol)]; }
  unsigned weight() const { return weight_; }
  unsigned priority() const { return priority_; }
  unsigned session_limit() const { return session_limit_; }              // 0: none
  unsigned pending_login_limit() const { return pending_login_limit_; }  // 0: none
  std::uint64_t seed() const { return seed_; }  // of the rendezvous hash, from the name

  unsigned sessions() const { return state_->sessions.load(std::memory_order_relaxed); }
  unsigned pending_logins() const { return state_->pending_logins.load(std::memory_order_relaxed); }
  bool full() const { return session_limit_ != 0 && sessions() >= session_limit_; }
  // As many logins are under way as it may have.
  bool crowded() const { return pending_login_limit_ != 0 && pending_logins() >= pending_login_limit_; }
  const Health& health() const { return state_->health; }
  const std::shared_ptr<BackendState>& state() const { return state_; }

 private:
  std::string pool_;
  std::string name_;
  std::string host_;
  std::array<std::uint16_t, kProtocols> ports_;
  unsigned weight_;
  unsigned priority_;
  unsigned session_limit_;
  unsigned pending_login_limit_;
  std::uint64_t seed_;
  std::shared_ptr<BackendState> state_;
};

// One unit of a counter of a backend, given back when the ticket dies. A ticket keeps the state alive, not
// the Backend: it may outlive the pool and any number of reloads.
template <std::atomic<unsigned> BackendState::* kCounter>
class Ticket {
 public:
  Ticket() = default;
  Ticket(Ticket&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Ticket& operator=(Ticket&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Ticket() {
    if (state_) ((*state_).*kCounter).fetch_sub(1, std::memory_order_relaxed);
  }

  // nullopt: `limit` units are out already. A limit of 0 is none.
  static std::optional<Ticket> try_acquire(std::shared_ptr<BackendState> state, unsigned limit) {
    std::atomic<unsigned>& counter = (*state).*kCounter;
    unsigned taken = counter.load(std::memory_order_relaxed);
    do {
      if (limit != 0 && taken >= limit) return std::nullopt;
    } while (!counter.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
    return Ticket(std::move(state));
  }

  explicit operator bool() const { return state_ != nullptr; }

 private:
  explicit Ticket(std::shared_ptr<BackendState> state) : state_(std::move(state)) {}
  std::shared_ptr<BackendState> state_;
};

// A session on a backend, from the choice of the backend to its close, so that the next choice sees it.
using SessionTicket = Ticket<&BackendState::sessions>;
// A login in flight, from dialling to the store's answer.
using LoginTicket = Ticket<&BackendState::pending_logins>;

// nullopt: the backend's limit of sessions is reached (another thread was faster): pick again.
std::optional<SessionTicket> open_session(const Backend& backend);
// nullopt: as many logins are in flight as the backend may have: wait, and try again.
std::optional<LoginTicket> begin_login(const Backend& backend);

}  // namespace postern::pool
