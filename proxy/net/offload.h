#pragma once

#include <functional>
#include <unordered_set>

#include "proxy/net/reactor.h"

struct uv_loop_s;

namespace postern::net {

// Work that one loop leaves to libuv's threads, which all loops of the process share. Destroyed before the
// loop's last turns: work that has not begun is never done, what has begun ends within those turns, and
// nobody is told of either.
class Offload {
 public:
  using Done = std::function<void(AnswerTicket ticket)>;  // called in the loop's thread

  Offload(uv_loop_s* loop, Done done);
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;
  ~Offload();

  void begin(std::function<void()> work, AnswerTicket ticket);

 private:
  struct Job;

  uv_loop_s* loop_;
  Done done_;
  std::unordered_set<Job*> under_way_;
};

}  // namespace postern::net
