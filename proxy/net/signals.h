#pragma once

#include <functional>
#include <vector>

struct uv_loop_s;
struct uv_signal_s;

namespace postern::net {

// Delivers signals of the process as calls on a loop.
class Signals {
 public:
  Signals(uv_loop_s* loop, const std::vector<int>& numbers, std::function<void(int number)> received);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  std::function<void(int)> received_;
  std::vector<uv_signal_s*> handles_;
};

}  // namespace postern::net
