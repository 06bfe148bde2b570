#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/model.h"
#include "proxy/channel.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/tls/context.h"

namespace postern::auth {

// A small HTTP server on the loop of a test: it knows where a request ends, and says what its script says.
class HttpServer {
 public:
  class Peer;
  // Called for each complete request; what it does not say at once it may say later.
  using Script = std::function<void(Peer& peer, const std::string& request)>;

  explicit HttpServer(net::Loop& loop, Script script, std::shared_ptr<tls::ServerContext> tls = nullptr);
  ~HttpServer();

  conf::Url url(std::string path = "/auth") const;
  std::size_t open() const;  // connections that neither end has closed

  Script script;
  std::vector<std::string> requests;
  std::list<std::unique_ptr<Peer>> peers;  // every connection that ever was

 private:
  net::Loop& loop_;
  std::shared_ptr<tls::ServerContext> tls_;
  std::optional<net::Acceptor> acceptor_;
};

class HttpServer::Peer final : public net::TransportOwner {
 public:
  Peer(HttpServer& server, net::Loop& loop, int descriptor);

  void say(std::string_view bytes);
  void hang_up();    // in good order
  void break_off();  // RST
  bool is_open() const { return channel_.has_value(); }

 private:
  void on_ready(int side, bool readable, bool writable) override;
  void take_requests();

  HttpServer& server_;
  std::optional<Channel> channel_;
  bool handshaking_ = false;
  std::string input_;
};

// "HTTP/1.1 200 OK" with the fields (each with its CRLF) and a body of known length.
std::string http_ok(std::string_view fields, std::string_view body = "");

}  // namespace postern::auth
