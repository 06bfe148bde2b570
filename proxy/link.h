#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/address.h"
#include "proxy/channel.h"
#include "proxy/net/reactor.h"
#include "proxy/time.h"
#include "proxy/tls/context.h"

namespace postern {

// A connection from a worker to a service that is not a store: an authentication service, Redis. It finds the
// address, connects, shakes hands where TLS is wanted, and then moves bytes. It goes up at most once and down
// at most once; whoever wants another connection makes another link.
class Link final : private net::TransportOwner, private net::Timer {
 public:
  struct Target {
    std::string path;  // of a UNIX socket; empty: host and port
    std::string host;  // a name or an address
    std::uint16_t port = 0;
    std::shared_ptr<tls::ClientContext> tls;  // null: none

    std::string to_string() const;  // for logs
  };

  // All are called from the loop and never from within the constructor or write(). The link may be destroyed
  // in any of them.
  class Owner {
   public:
    virtual void link_up(Link& link) = 0;
    // The bytes live until anything else is read: take them before anybody is told.
    virtual void link_received(Link& link, std::string_view bytes) = 0;
    // The peer ended, the connection broke or never stood: one sentence. The last call.
    virtual void link_down(Link& link, const std::string& why) = 0;

   protected:
    ~Owner() = default;
  };

  // `connect_time` ends the wait for up. Names are asked for under `ticket`; their answer comes back through
  // addresses().
  Link(net::Reactor& reactor, Owner& owner, Target target, Duration connect_time, net::AnswerTicket ticket);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const net::AnswerTicket& ticket() const { return ticket_; }
  void addresses(const std::vector<Address>& addresses);

  bool up() const { return up_; }
  const Target& target() const { return target_; }

  // Only while up. What the socket does not take waits here, wiped when it is sent; a broken connection is
  // told by link_down(), later.
  void write(std::string_view bytes);
  std::size_t unwritten() const { return channel_ ? channel_->unwritten() : 0; }

 private:
  void on_ready(int side, bool readable, bool writable) override;
  void expired(Time now) override;
  void try_next();
  void await(std::expected<std::unique_ptr<net::Transport>, int> dialled);
  void connected();
  void secure(tls::Status status);
  void hand_over(std::string_view bytes);
  void go_up();
  void go_down(std::string why);
  void fail_later(std::string why);

  net::Reactor& reactor_;
  Owner& owner_;
  Target target_;
  net::AnswerTicket ticket_;
  std::optional<Channel> channel_;
  std::vector<Address> candidates_;  // not tried yet, the last first
  std::string failure_;              // to be told by the timer
  bool established_ = false;
  bool up_ = false;
};

}  // namespace postern
