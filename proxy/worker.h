#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "proxy/departures.h"
#include "proxy/login_lines.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/services.h"
#include "proxy/session.h"
#include "proxy/session_context.h"

namespace postern {

// What all workers share; outlives them.
struct Shared {
  observe::Log& log;
  auth::Limiter& limiter;
  auth::FailureDelay& failure_delay;
  std::atomic<unsigned> sessions{0};  // of all workers: the session limit is the proxy's, not a worker's
};

// One thread, one loop, and the sessions that it accepted: the only place that makes and frees them. The
// public members may be called from any thread; what they ask is done on the worker's own.
class Worker final : private SessionHost {
 public:
  Worker(std::size_t number, Shared& shared, observe::WorkerMetrics& metrics,
         std::shared_ptr<const Snapshot> snapshot);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();  // ends the sessions that are left, and the thread

  void start();

  struct Gate {
    Endpoint endpoint;  // as a listener of the snapshot names it
    net::ListeningSocket socket;
  };
  // New sessions begin with this snapshot. `opened` are new sockets; those of endpoints that are not in
  // `kept` are closed.
  void use(std::shared_ptr<const Snapshot> snapshot, std::vector<Gate> opened, std::vector<Endpoint> kept);

  // Closes the listening sockets.
  void stop_accepting();
  // From now on over `spread`: asks IMAP sessions that stand between two answers to leave, at an even pace.
  void ask_to_leave(Duration spread);
  // Says goodbye to every session that is left. `last_words` false: no time even for that.
  void dismiss_all();

  unsigned sessions() const { return count_.load(std::memory_order_relaxed); }
  // When the loop turned last.
  Time last_turn() const { return Time(Time::duration(last_turn_.load(std::memory_order_relaxed))); }

 private:
  struct Slot {
    std::unique_ptr<Session> session;
  };
  struct OpenGate {
    Endpoint endpoint;
    std::unique_ptr<net::Acceptor> acceptor;
  };
  class Heartbeat final : public net::Timer {
   public:
    explicit Heartbeat(Worker& worker) : worker_(worker) {}

   private:
    void expired(Time now) override { worker_.beat(now); }
    Worker& worker_;
  };

  // Wakes the loop, whose end of a turn looks for places for logins that wait.
  class Look final : public net::Timer {
    void expired(Time) override {}
  };

  // SessionHost
  net::Reactor& reactor() override { return loop_; }
  observe::WorkerMetrics& metrics() override { return metrics_; }
  observe::Log& log() override { return shared_.log; }
  auth::Limiter& limiter() override { return shared_.limiter; }
  auth::FailureDelay& failure_delay() override { return shared_.failure_delay; }
  Admission& admission() override { return admission_; }
  Departures& departures() override { return departures_; }
  LoginLines& login_lines() override { return login_lines_; }
  std::string new_session_id() override;
  std::uint32_t new_generation() override { return ++generation_; }
  Services& services() override { return services_; }
  double random() override { return std::uniform_real_distribution<double>(0, 1)(random_); }
  bool is_own(const Endpoint& endpoint) const override;
  void bury(std::uint32_t slot) override;

  void post(std::function<void()> task);
  void run_tasks();
  void accepted(const Endpoint& at, int descriptor, const Endpoint& peer);
  int room() const;
  bool end_turn(Time::duration turn);  // true: there was something to do
  void beat(Time now);
  void note_work();
  void ask_some_to_leave(Time now);
  bool call_for_logins();
  void free_buried(std::size_t most);
  Session* session_at(std::uint32_t slot);

  Shared& shared_;
  observe::WorkerMetrics& metrics_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Address> own_addresses_;  // of this machine, when the snapshot came
  net::Loop loop_;
  Services services_;
  Admission admission_;
  Departures departures_;
  LoginLines login_lines_;
  Look look_;
  Heartbeat heartbeat_;
  bool beating_ = false;  // in this turn
  bool worked_ = true;    // since the last beat
  bool at_rest_ = false;  // nothing did: the next beat is far
  std::vector<OpenGate> gates_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::deque<std::uint32_t> buried_;
  std::uint32_t generation_ = 0;
  std::uint64_t id_state_;
  std::minstd_rand random_;
  struct Leaving {
    Time until;
    std::size_t slot = 0;  // whose session is asked next
  };
  std::optional<Leaving> leaving_;  // sessions are being asked to leave
  bool exhausted_ = false;          // the system had no descriptor left; looked at again with each beat
  std::atomic<unsigned> count_{0};
  std::atomic<Time::rep> last_turn_;

  std::mutex mutex_;  // guards tasks_
  std::vector<std::function<void()>> tasks_;
  std::thread thread_;
};

}  // namespace postern
