#include "proxy/net/socket.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <uv.h>

#include "proxy/net/loop.h"

namespace postern::net {

namespace {

void set_int(int descriptor, int level, int option, int value) {
  ::setsockopt(descriptor, level, option, &value, sizeof(value));
}

IoResult failed(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return {};
  return {IoResult::Kind::Failed, 0, error};
}

}  // namespace

Socket::Socket(uv_loop_s* loop, int descriptor, TransportOwner* owner, int side)
    : handle_(new uv_poll_t), owner_(owner), descriptor_(descriptor), side_(static_cast<std::uint8_t>(side)) {
  if (uv_poll_init(loop, handle_, descriptor) != 0) std::abort();  // the descriptor is ours and pollable
  handle_->data = this;
}

std::expected<std::unique_ptr<Socket>, int> Socket::dial(uv_loop_s* loop, const Endpoint& to,
                                                         TransportOwner* owner, int side) {
  sockaddr_storage address{};
  const unsigned length = sockaddr_from(to, address);
  const int descriptor = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return std::unexpected(errno);
  set_stream_options(descriptor, KeepAlive{});
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), length) != 0 &&
      errno != EINPROGRESS) {
    const int error = errno;
    ::close(descriptor);
    return std::unexpected(error);
  }
  return std::make_unique<Socket>(loop, descriptor, owner, side);
}

std::expected<std::unique_ptr<Socket>, int> Socket::dial_local(uv_loop_s* loop, const std::string& path,
                                                               TransportOwner* owner, int side) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return std::unexpected(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return std::unexpected(errno);
  // EAGAIN: the service's backlog is full.
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    ::close(descriptor);
    return std::unexpected(error);
  }
  return std::make_unique<Socket>(loop, descriptor, owner, side);
}

Socket::~Socket() {
  handle_->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  ::close(descriptor_);  // allowed at once: uv_close has stopped the watching
}

void Socket::want(bool readable, bool writable) {
  const auto wanted = static_cast<std::uint8_t>((readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0));
  wanted_ = wanted;
  // To change what is watched takes system calls: one that rests for a moment is mostly left alone meanwhile.
  const bool rests = wanted == 0 && watched_ == UV_READABLE;
  if (!rests) watch(wanted);
}

void Socket::watch(std::uint8_t events) {
  if (events == watched_) return;
  watched_ = events;
  if (events == 0) {
    uv_poll_stop(handle_);
  } else {
    uv_poll_start(handle_, events, &Socket::on_poll);
  }
}

void Socket::on_poll(uv_poll_s* handle, int status, int events) {
  auto* self = static_cast<Socket*>(handle->data);
  if (self == nullptr) return;
  Loop::event(handle->loop);
  const bool broken = status < 0;
  // libuv has stopped watching, but bytes may wait before the error: the owner is told again until it acts.
  if (broken) self->watched_ = 0;
  self->watch(self->wanted_);
  if (self->wanted_ == 0) return;
  self->owner_->on_ready(self->side_, broken || (events & UV_READABLE) != 0,
                         broken || (events & UV_WRITABLE) != 0);
}

IoResult Socket::read(std::span<char> to) {
  const ssize_t size = ::recv(descriptor_, to.data(), to.size(), 0);
  if (size > 0) return {IoResult::Kind::Done, static_cast<std::size_t>(size), 0};
  if (size == 0) return {IoResult::Kind::End, 0, 0};
  return failed(errno);
}

IoResult Socket::write(std::string_view bytes) {
  const ssize_t size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size >= 0) return {IoResult::Kind::Done, static_cast<std::size_t>(size), 0};
  return failed(errno);
}

int Socket::connect_error() {
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

void Socket::finish_writing() { ::shutdown(descriptor_, SHUT_WR); }

void Socket::break_off() {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

Endpoint Socket::local() const {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return endpoint_from(address);
}

void set_stream_options(int descriptor, const KeepAlive& keep_alive) {
  set_int(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_int(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_int(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, keep_alive.idle_seconds);
  set_int(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, keep_alive.interval_seconds);
  set_int(descriptor, IPPROTO_TCP, TCP_KEEPCNT, keep_alive.probes);
  set_int(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, keep_alive.user_timeout_milliseconds);
}

Endpoint endpoint_from(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    std::uint8_t octets[4];
    std::memcpy(octets, &in.sin_addr, sizeof(octets));
    return {Address::v4(octets), ntohs(in.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    std::uint8_t octets[16];
    std::memcpy(octets, &in.sin6_addr, sizeof(octets));
    return {Address::v6(octets), ntohs(in.sin6_port)};
  }
  return {};
}

unsigned sockaddr_from(const Endpoint& endpoint, sockaddr_storage& address) {
  if (endpoint.address.family == Address::Family::V4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, endpoint.address.bytes.data(), 4);
    std::memcpy(&address, &in, sizeof(in));
    return sizeof(in);
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(endpoint.port);
  std::memcpy(&in.sin6_addr, endpoint.address.bytes.data(), 16);
  std::memcpy(&address, &in, sizeof(in));
  return sizeof(in);
}

}  // namespace postern::net
