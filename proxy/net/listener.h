#pragma once

#include <expected>
#include <functional>
#include <string>

#include "parsers/address.h"

struct uv_loop_s;
struct uv_poll_s;

namespace postern::net {

// A bound and listening descriptor; closed when it dies. Many may share an address (SO_REUSEPORT): the kernel
// spreads new connections over them.
class ListeningSocket {
 public:
  // The error is one sentence for the operator.
  static std::expected<ListeningSocket, std::string> open(const Endpoint& endpoint);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  ~ListeningSocket();

  int descriptor() const { return descriptor_; }
  Endpoint endpoint() const;  // with the port that the system chose for port 0

 private:
  explicit ListeningSocket(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Accepts connections in batches, on a loop. libuv's own listener takes one per turn since 1.45, which
// starves new logins while many sessions are busy; and it answers EMFILE by closing connections.
class Acceptor {
 public:
  struct Hooks {
    // A new connection; the callee owns the descriptor, which is non-blocking.
    std::function<void(int descriptor, const Endpoint& peer)> accepted;
    // How many connections may be accepted now; 0 pauses the acceptor.
    std::function<int()> room;
    // The system refused for want of descriptors or memory; the acceptor has paused.
    std::function<void(int error)> exhausted;
  };
  Acceptor(uv_loop_s* loop, ListeningSocket socket, Hooks hooks);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  void pause();
  void resume();
  bool paused() const { return paused_; }
  Endpoint endpoint() const { return socket_.endpoint(); }

 private:
  void accept_batch();

  ListeningSocket socket_;
  Hooks hooks_;
  uv_poll_s* handle_;
  bool paused_ = true;
};

}  // namespace postern::net
