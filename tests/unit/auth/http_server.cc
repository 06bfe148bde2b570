#include "tests/unit/auth/http_server.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <utility>

#include "proxy/net/socket.h"

namespace postern::auth {

HttpServer::HttpServer(net::Loop& loop, Script script_of_test, std::shared_ptr<tls::ServerContext> tls)
    : script(std::move(script_of_test)), loop_(loop), tls_(std::move(tls)) {
  auto socket = net::ListeningSocket::open(*Endpoint::parse("127.0.0.1:0"));
  REQUIRE(socket.has_value());
  acceptor_.emplace(
      loop.handle(), std::move(*socket),
      net::Acceptor::Hooks{.accepted =
                               [this](int descriptor, const Endpoint&) {
                                 peers.push_back(std::make_unique<Peer>(*this, loop_, descriptor));
                               },
                           .room = [] { return 64; },
                           .exhausted = [](int) {}});
}

HttpServer::~HttpServer() = default;

conf::Url HttpServer::url(std::string path) const {
  return {.tls = tls_ != nullptr,
          .host = "127.0.0.1",
          .port = acceptor_->endpoint().port,
          .path = std::move(path)};
}

std::size_t HttpServer::open() const {
  return static_cast<std::size_t>(std::ranges::count_if(peers, &Peer::is_open));
}

HttpServer::Peer::Peer(HttpServer& server, net::Loop& loop, int descriptor) : server_(server) {
  channel_.emplace(loop, std::make_unique<net::Socket>(loop.handle(), descriptor, this, 0));
  if (server.tls_) {
    handshaking_ = true;
    channel_->begin_tls(server.tls_->accept(Protocol::Imap));
  }
  channel_->want_read(true);
}

void HttpServer::Peer::say(std::string_view bytes) {
  if (channel_) channel_->write(bytes);
}

void HttpServer::Peer::hang_up() {
  if (!channel_) return;
  channel_->finish();
  channel_.reset();
}

void HttpServer::Peer::break_off() {
  if (!channel_) return;
  channel_->break_off();
  channel_.reset();
}

void HttpServer::Peer::on_ready(int, bool readable, bool writable) {
  if (!channel_ || (writable && !channel_->flush())) return channel_.reset();
  if (!readable) return;
  Channel::Reading reading;
  if (handshaking_) {
    const tls::Status status = channel_->handshake();
    if (status == tls::Status::NeedInput) return;
    if (status != tls::Status::Done) return channel_.reset();
    handshaking_ = false;
    reading = channel_->read_early();
  } else {
    reading = channel_->read();
  }
  input_ += reading.bytes;
  if (reading.state != Channel::Reading::State::Open) return channel_.reset();
  take_requests();
}

void HttpServer::Peer::take_requests() {
  for (;;) {
    const std::size_t header = input_.find("\r\n\r\n");
    if (header == std::string::npos) return;
    std::size_t size = header + 4;
    const std::size_t length = input_.find("Content-Length: ");
    if (length < header) size += std::stoul(input_.substr(length + 16));
    if (input_.size() < size) return;
    server_.requests.push_back(input_.substr(0, size));
    input_.erase(0, size);
    server_.script(*this, server_.requests.back());
    if (!channel_) return;
  }
}

std::string http_ok(std::string_view fields, std::string_view body) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace postern::auth
