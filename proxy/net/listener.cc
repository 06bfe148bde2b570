#include "proxy/net/listener.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <uv.h>

#include "proxy/net/loop.h"
#include "proxy/net/socket.h"

namespace postern::net {

std::expected<ListeningSocket, std::string> ListeningSocket::open(const Endpoint& endpoint) {
  sockaddr_storage address{};
  const unsigned length = sockaddr_from(endpoint, address);
  const auto problem = [&endpoint](const char* what) {
    return std::unexpected(std::string("cannot ") + what + " " + endpoint.to_string() + ": " +
                           std::strerror(errno));
  };
  ListeningSocket socket(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.descriptor_ < 0) return problem("open a socket for");
  const int on = 1;
  ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (address.ss_family == AF_INET6) {
    ::setsockopt(socket.descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  set_stream_options(socket.descriptor_, KeepAlive{});
  if (::bind(socket.descriptor_, reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return problem("bind");
  if (::listen(socket.descriptor_, 4096) != 0) return problem("listen on");
  return socket;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

ListeningSocket::~ListeningSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Endpoint ListeningSocket::endpoint() const {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return endpoint_from(address);
}

Acceptor::Acceptor(uv_loop_s* loop, ListeningSocket socket, Hooks hooks)
    : socket_(std::move(socket)), hooks_(std::move(hooks)), handle_(new uv_poll_t) {
  if (uv_poll_init(loop, handle_, socket_.descriptor()) != 0) std::abort();
  handle_->data = this;
  resume();
}

Acceptor::~Acceptor() {
  handle_->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
}

void Acceptor::pause() {
  if (paused_) return;
  paused_ = true;
  uv_poll_stop(handle_);
}

void Acceptor::resume() {
  if (!paused_) return;
  paused_ = false;
  uv_poll_start(handle_, UV_READABLE, [](uv_poll_t* handle, int, int) {
    if (handle->data == nullptr) return;
    Loop::event(handle->loop);
    static_cast<Acceptor*>(handle->data)->accept_batch();
  });
}

void Acceptor::accept_batch() {
  const int room = hooks_.room();
  if (room <= 0) pause();
  for (int i = 0; i < room; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    const int descriptor = ::accept4(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), &length,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      hooks_.accepted(descriptor, endpoint_from(address));
      continue;
    }
    switch (errno) {
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        pause();
        hooks_.exhausted(errno);
        return;
      case EAGAIN:
        return;
      default:  // ECONNABORTED and the like: that one connection is gone
        break;
    }
  }
}

}  // namespace postern::net
