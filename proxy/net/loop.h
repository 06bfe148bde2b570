#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "proxy/net/offload.h"
#include "proxy/net/reactor.h"
#include "proxy/net/resolver.h"

struct uv_loop_s;
struct uv_timer_s;
struct uv_prepare_s;
struct uv_async_s;
struct uv_idle_s;

namespace postern::net {

// A thread's libuv loop with a timer wheel, a resolver, other threads' help and the scratch memory.
// Everything but stop(), wake() and now() belongs to the thread that runs it.
class Loop final : public Reactor {
 public:
  struct Hooks {
    // After the events of one turn, which took so long, and before the loop sleeps. True: this took time,
    // too.
    std::function<bool(Time::duration turn)> end_of_turn;
    std::function<void()> woken;  // after wake(); several calls may be told as one
    Resolver::Answer addresses;
    Offload::Done offloaded = {};  // what offload() was given is done
  };
  explicit Loop(Hooks hooks);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Until stop(); then the handles that are left are closed by the destructor.
  void run();

  // From any thread: run() returns after this turn or the next.
  void stop();
  // From any thread: woken() will be called.
  void wake();

  Time now() const override;
  TimerWheel& timers() override { return wheel_; }
  Scratch& scratch() override { return scratch_; }
  std::expected<std::unique_ptr<Transport>, int> dial(const Endpoint& to, TransportOwner* owner,
                                                      int side) override;
  std::expected<std::unique_ptr<Transport>, int> dial_local(const std::string& path, TransportOwner* owner,
                                                            int side) override;
  void resolve(const std::string& host, AnswerTicket ticket) override;
  void offload(std::function<void()> work, AnswerTicket ticket) override;

  // True: the loop does not sleep, it only looks for events, until false is said.
  void stay_awake(bool awake);

  // For what watches descriptors on a loop: an event has come. The first one begins a turn.
  static void event(uv_loop_s* loop);

  uv_loop_s* handle() { return loop_.get(); }

  // The longest time since the last call that the loop took for one turn of events: what a session had to
  // wait.
  Duration take_longest_turn();

 private:
  void arm();
  void prepare();
  Time::duration turn() const;  // that this one took up to now
  void note_turn(Time::duration took);

  std::unique_ptr<uv_loop_s> loop_;
  Hooks hooks_;
  TimerWheel wheel_;
  Scratch scratch_;
  uv_timer_s* timer_;
  uv_prepare_s* prepare_;
  uv_async_s* async_;
  uv_idle_s* idle_;  // while it runs the loop does not sleep
  Time armed_ = kNever;
  std::int64_t turn_began_ = 0;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<Offload> offload_;
  std::atomic<bool> stopped_{false};
  Time::duration longest_turn_{0};
};

}  // namespace postern::net
