#pragma once

#include <cerrno>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/auth/failure_delay.h"
#include "proxy/auth/limiter.h"
#include "proxy/net/reactor.h"
#include "proxy/observe/log.h"
#include "proxy/observe/metrics.h"
#include "proxy/session.h"
#include "tests/temporary_directory.h"

// A world of wire and clock for one session: no socket, no thread, no sleep. The session is the real one,
// with its real dialogues, pools, limits and log line; only what lies below (bytes, names, time) is made
// here.

namespace postern::sim {

// The far end of a connection of the session: what a test plays, as the client or as a store.
class Peer {
 public:
  std::string received;            // from the session, in order
  bool session_finished = false;   // it ended its direction (FIN)
  bool session_closed = false;     // its transport is gone
  bool session_broke_off = false;  // with a reset

  void send(std::string_view bytes) { to_session.append(bytes); }
  void finish() { finished = true; }
  void reset() { broken = true; }

  // Faults of the wire.
  std::size_t read_at_once = SIZE_MAX;  // bytes that one read of the session gets
  std::size_t window = SIZE_MAX;        // bytes that the session may have written beyond `taken`
  std::size_t taken = 0;                // how much the peer has taken off the wire
  int connect_error = 0;
  bool connects = true;  // false: the connection never stands

  // The wire's own state.
  std::string to_session;
  bool finished = false;
  bool broken = false;
  bool told_connected = false;
};

class World final : public net::Reactor, private SessionHost {
 public:
  // `toml` is a whole configuration; its listener "front" is the one that the client comes to.
  explicit World(std::string_view toml);
  ~World();

  // What an operator does: the services change, the session keeps the configuration that it began with.
  void reload(std::string_view toml);
  // The same where the new configuration is good, and cannot be used: an address cannot be bound.
  void refuse_reload(std::string_view toml);

  // The client connects. Its side of the wire is `client`.
  void connect(std::string_view from = "192.0.2.7:40000");

  Peer client;
  std::vector<std::unique_ptr<Peer>> stores;  // in the order in which they were dialled
  std::vector<Endpoint> dialled;
  std::function<void(Peer& store, std::size_t number)> on_dial;  // prepares a store before its first event
  std::optional<int> dial_error;                                 // the next dial fails at once
  std::map<std::string, std::vector<Address>> names;
  double chance = 0;         // what SessionHost::random() says
  bool names_answer = true;  // false: the answer never comes

  // Lets everything that can happen now happen.
  void settle();
  // Moves the clock, in steps that no deadline can hide between.
  void pass(Duration duration);

  bool over() const { return session_ == nullptr; }
  void dismiss(Fault reason) { session_->dismiss(reason); }
  std::string log_line();  // of the session that has ended; waits for the log's own thread
  const observe::WorkerMetrics& counted() { return metrics_.worker(0); }
  auth::Limiter& limits() { return limiter_; }
  // Other newcomers have used up this turn of the loop; whoever comes waits in line until the next.
  void crowd();
  // The same for those who leave.
  void exodus();
  void next_turn();
  std::shared_ptr<const Snapshot> snapshot() const { return snapshot_; }

  // What the session has left to another thread; done by the next event, unless `threads_work` is false.
  bool threads_work = true;
  void do_offloaded();
  std::deque<std::pair<std::function<void()>, net::AnswerTicket>> offloaded;

  // An answer for a phase that has passed, as a slow name server would give it.
  void answer_late(const std::string& host, net::AnswerTicket ticket);
  std::vector<std::pair<std::string, net::AnswerTicket>> asked;

 private:
  friend class Wire;
  // net::Reactor
  Time now() const override { return now_; }
  net::TimerWheel& timers() override { return wheel_; }
  net::Scratch& scratch() override { return scratch_; }
  std::expected<std::unique_ptr<net::Transport>, int> dial(const Endpoint& to, net::TransportOwner* owner,
                                                           int side) override;
  std::expected<std::unique_ptr<net::Transport>, int> dial_local(const std::string&, net::TransportOwner*,
                                                                 int) override {
    return std::unexpected(ENOENT);
  }
  void resolve(const std::string& host, net::AnswerTicket ticket) override;
  void offload(std::function<void()> work, net::AnswerTicket ticket) override {
    offloaded.emplace_back(std::move(work), ticket);
  }
  // SessionHost
  net::Reactor& reactor() override { return *this; }
  observe::WorkerMetrics& metrics() override { return metrics_.worker(0); }
  observe::Log& log() override { return *log_; }
  auth::Limiter& limiter() override { return limiter_; }
  auth::FailureDelay& failure_delay() override { return *failure_delay_; }
  std::string new_session_id() override { return "simulated"; }
  std::uint32_t new_generation() override { return ++generation_; }
  Services& services() override { return services_; }
  double random() override { return chance; }
  Admission& admission() override { return admission_; }
  Departures& departures() override { return departures_; }
  LoginLines& login_lines() override { return login_lines_; }
  bool is_own(const Endpoint& endpoint) const override;
  void bury(std::uint32_t) override { buried_ = true; }

  // With POSTERN_SIM_IN_LINE in the environment every event of a newcomer waits in line, behind a crowd.
  static bool always_in_line();
  static constexpr int kStrangers = 100;
  void use_up_turn();
  bool take_one_of_the_line();

  bool turn();
  void free_the_buried();

  Time now_{std::chrono::hours(1)};
  net::TimerWheel wheel_{now_};
  net::Scratch scratch_;
  TemporaryDirectory folder_;  // of the log
  std::unique_ptr<observe::Log> log_;
  observe::Metrics metrics_;
  auth::Limiter limiter_{{}};
  std::unique_ptr<auth::FailureDelay> failure_delay_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<class Wire*> wires_;
  std::vector<std::unique_ptr<net::Timer>> later_;  // answers of name servers that are under way
  Admission admission_;
  Departures departures_;
  LoginLines login_lines_;
  std::uint32_t generation_ = 0;
  bool buried_ = false;
  std::unique_ptr<Session> session_;
  Services services_;  // its connections are wires, too
};

}  // namespace postern::sim
