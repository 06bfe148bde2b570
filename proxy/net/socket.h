#pragma once

#include <expected>
#include <memory>
#include <string>

#include "proxy/net/transport.h"

struct sockaddr_storage;
struct uv_loop_s;
struct uv_poll_s;

namespace postern::net {

// How long a peer may be silent below TCP before its connection counts as dead.
struct KeepAlive {
  int idle_seconds = 120;
  int interval_seconds = 30;
  int probes = 4;
  int user_timeout_milliseconds = 120'000;  // unacknowledged bytes (TCP_USER_TIMEOUT)
};

// A TCP or UNIX stream socket watched by a libuv loop. Reads and writes are the system's own, tried at once:
// there is no queue here. Belongs to the thread of its loop.
class Socket final : public Transport {
 public:
  // Takes a connected, non-blocking descriptor.
  Socket(uv_loop_s* loop, int descriptor, TransportOwner* owner, int side);
  // Begins to connect; the error is an errno (out of descriptors, ports, no route).
  static std::expected<std::unique_ptr<Socket>, int> dial(uv_loop_s* loop, const Endpoint& to,
                                                          TransportOwner* owner, int side);
  // The same to a UNIX socket, which connects at once or not at all.
  static std::expected<std::unique_ptr<Socket>, int> dial_local(uv_loop_s* loop, const std::string& path,
                                                                TransportOwner* owner, int side);
  ~Socket() override;

  void want(bool readable, bool writable) override;
  IoResult read(std::span<char> to) override;
  IoResult write(std::string_view bytes) override;
  int connect_error() override;
  void finish_writing() override;
  void break_off() override;
  Endpoint local() const override;

 private:
  void watch(std::uint8_t events);
  static void on_poll(uv_poll_s* handle, int status, int events);

  uv_poll_s* handle_;  // libuv's until its close callback, which frees it
  TransportOwner* owner_;
  int descriptor_;
  std::uint8_t side_;
  std::uint8_t wanted_ = 0;
  std::uint8_t watched_ = 0;  // what libuv was asked for: at least what is wanted
};

// TCP_NODELAY, keepalive and the user timeout. On a listening socket accepted connections inherit them.
void set_stream_options(int descriptor, const KeepAlive& keep_alive);

Endpoint endpoint_from(const sockaddr_storage& address);
// Fills `address` and returns its length.
unsigned sockaddr_from(const Endpoint& endpoint, sockaddr_storage& address);

}  // namespace postern::net
