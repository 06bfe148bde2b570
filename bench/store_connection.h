#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/line_cutter.h"
#include "proxy/channel.h"
#include "proxy/net/loop.h"
#include "proxy/tls/context.h"

namespace postern::bench {

// One client of the cheap store: every login is good, FETCH n and RETR n give a message of n bytes, APPEND
// takes one. Or of its authentication service, which answers nginx's auth_http and names this store.
class StoreConnection final : public net::TransportOwner {
 public:
  enum class Kind : std::uint8_t { Imap, Pop3, AuthHttp };
  class Owner {
   public:
    virtual void bury(StoreConnection& connection) = 0;
    virtual std::uint16_t port_of(Kind kind) const = 0;

   protected:
    ~Owner() = default;
  };
  StoreConnection(Owner& owner, net::Loop& loop, int descriptor, Kind kind);
  void begin(tls::ServerContext* tls);  // null: no TLS
  void on_ready(int side, bool readable, bool writable) override;

 private:
  void handshaken(tls::Status status);
  void greet();
  void take(const Channel::Reading& reading);
  void take(std::string_view bytes);
  void line(std::string_view text);
  void auth_http(std::string_view text);
  void imap(std::string_view text);
  void pop3(std::string_view text);
  void send_message();

  Owner& owner_;
  Channel channel_;
  Kind kind_;
  bool shaking_hands_ = false;
  LineCutter lines_;
  std::size_t to_send_ = 0;  // of a message, still to go
  std::string after_message_;
  std::string tag_;
  std::string append_tag_;  // of an APPEND whose message is coming
  std::string login_tag_;   // LOGIN with literals, as nginx sends it
  int login_literals_ = 0;
  bool asks_for_pop3_ = false;  // AuthHttp
  bool keeps_ = false;          // AuthHttp: HTTP/1.1
};

}  // namespace postern::bench
