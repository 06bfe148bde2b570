#pragma once

#include <cstring>
#include <deque>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace postern {

// A service that a test plays by hand, on TCP or on a UNIX socket. It never blocks: step() does what can be
// done now, and belongs into the condition of run_until().
class FakePeer {
 public:
  struct Connection {
    int descriptor = -1;
    std::string received;
    bool ended = false;  // by the other side

    void say(std::string_view text) {
      REQUIRE(::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(text.size()));
    }
    void close() {
      if (descriptor >= 0) ::close(descriptor);
      descriptor = -1;
    }
  };

  FakePeer() = default;                                            // 127.0.0.1, a free port
  explicit FakePeer(std::string path) : path_(std::move(path)) {}  // a UNIX socket
  FakePeer(const FakePeer&) = delete;
  ~FakePeer() {
    stop();
    for (Connection& each : connections) each.close();
  }

  // The second time on the same port or path.
  void start() {
    const bool local = !path_.empty();
    listening_ = ::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    REQUIRE(listening_ >= 0);
    const int on = 1;
    ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (local) {
      ::unlink(path_.c_str());
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      std::strncpy(name.sun_path, path_.c_str(), sizeof name.sun_path - 1);
      REQUIRE(::bind(listening_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    } else {
      sockaddr_in name{};
      name.sin_family = AF_INET;
      name.sin_port = htons(port_);
      name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof name;
      REQUIRE(::bind(listening_, reinterpret_cast<sockaddr*>(&name), size) == 0);
      REQUIRE(::getsockname(listening_, reinterpret_cast<sockaddr*>(&name), &size) == 0);
      port_ = ntohs(name.sin_port);
    }
    REQUIRE(::listen(listening_, 16) == 0);
  }

  void stop() {
    if (listening_ >= 0) ::close(listening_);
    listening_ = -1;
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void step() {
    const int fresh =
        listening_ < 0 ? -1 : ::accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fresh >= 0) connections.push_back({fresh, {}, false});
    for (Connection& each : connections) {
      char chunk[65536];
      ssize_t size = 0;
      while (each.descriptor >= 0 && !each.ended &&
             (size = ::recv(each.descriptor, chunk, sizeof chunk, 0)) >= 0) {
        if (size == 0) each.ended = true;
        each.received.append(chunk, static_cast<std::size_t>(size));
      }
    }
  }

  std::uint16_t port() const { return port_; }
  const std::string& path() const { return path_; }

  std::deque<Connection> connections;

 private:
  std::string path_;
  std::uint16_t port_ = 0;
  int listening_ = -1;
};

}  // namespace postern
