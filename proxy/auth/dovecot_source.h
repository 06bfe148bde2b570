#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "conf/model.h"
#include "proxy/auth/dovecot_protocol.h"
#include "proxy/auth/source.h"
#include "proxy/link.h"

namespace postern::auth {

// Asks Dovecot's authentication service over one connection, made at once and kept. While it is away,
// questions wait a second for it; those that were asked when it broke end as AuthUnavailable, for nobody
// knows what became of them. Must not be destroyed from within Deliver.
class DovecotSource final : public Source, public net::Service, private Link::Owner, private net::Timer {
 public:
  using WallClock = std::function<std::chrono::system_clock::time_point()>;

  // `slot` is the one that addresses() comes back with. `wall_clock` is for delay_until. A reloaded Dovecot
  // goes on serving old connections with its old configuration, so ours is made anew after `renewal`, as soon
  // as no question is under way.
  DovecotSource(net::Reactor& reactor, const conf::DovecotSource& settings, std::uint32_t slot,
                Deliver deliver, WallClock wall_clock, Duration renewal = std::chrono::minutes(1));
  ~DovecotSource() override;

  bool ask(const Question& question) override;
  void respond(net::AnswerTicket ticket, Secret message) override;
  void cancel(net::AnswerTicket ticket) override;

  // Of the last connection; README.md says which are left out.
  std::vector<std::string> mechanisms() const override { return relayed_; }

  void addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) override;

  bool connected() const { return protocol_.ready(); }
  const std::string& trouble() const { return trouble_; }  // why there is no connection; for the log

 private:
  struct Pending;

  void link_up(Link& link) override;
  void link_received(Link& link, std::string_view bytes) override;
  void link_down(Link& link, const std::string& why) override;
  void expired(Time now) override;  // of the connection: dial, give the first block up, or renew

  void dial();
  void ready();
  void lose(std::string why);
  void renew();

  std::size_t under_way() const { return pending_.size() - clients_turns_; }
  Pending* find(net::AnswerTicket ticket);
  Pending* find(std::uint32_t id);
  void erase(Pending& pending);
  void send(Pending& pending);
  void write_cancel_of(const Pending& pending);
  void end_later(Pending& pending, Answer answer);
  void end_now(Pending& pending, Answer answer);
  void replied(DovecotReply reply);
  void overdue(Pending& pending);

  net::Reactor& reactor_;
  const conf::DovecotSource settings_;
  const std::uint32_t slot_;
  const Deliver deliver_;
  const WallClock wall_clock_;
  const Duration renewal_;
  std::minstd_rand random_;

  std::unique_ptr<Link> link_;
  std::uint32_t generation_ = 0;  // of links
  DovecotProtocol protocol_;
  Duration back_off_;
  Time ready_at_{};
  Time heard_{};  // when it said anything
  std::string trouble_ = "not connected yet";
  std::vector<std::string> relayed_;

  std::uint32_t last_id_ = 0;
  std::uint32_t highest_id_ = 0;                               // that was ever used
  std::map<std::uint32_t, std::unique_ptr<Pending>> pending_;  // in the order of asking
  std::map<std::uint64_t, std::uint32_t> ids_;                 // of tickets
  std::size_t clients_turns_ = 0;                              // of pending_: wait for their clients
};

}  // namespace postern::auth
