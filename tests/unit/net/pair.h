#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/socket.h"

namespace postern::net {

// Runs a loop until `done`, or fails the test after some seconds.
void run_until(Loop& loop, const std::function<bool()>& done);

// An owner that only notes what it is told.
class Noting final : public TransportOwner {
 public:
  void on_ready(int, bool is_readable, bool is_writable) override {
    readable |= is_readable;
    writable |= is_writable;
    ++events;
  }
  bool readable = false;
  bool writable = false;
  int events = 0;
};

// Two connected sockets over loopback.
struct Pair {
  explicit Pair(Loop& loop);
  Noting here_owner, there_owner;
  std::unique_ptr<Transport> here, there;
};

}  // namespace postern::net
