#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "proxy/phases.h"
#include "proxy/session_context.h"

namespace postern {

// One client, from accept to close: the phase it is in, and the transitions. Every event comes in here, goes
// to the phase, and what the phase answers is done here and nowhere else.
class Session final : public net::TransportOwner, private net::Timer {
 public:
  Session(SessionHost& host, std::shared_ptr<const Snapshot> snapshot, const ListenerPlan& listener,
          const Endpoint& peer, std::uint32_t slot);
  ~Session() override;

  // Begins with a connected transport, whose owner is this session with side kFront.
  void begin(std::unique_ptr<net::Transport> front);

  void on_ready(int side, bool readable, bool writable) override;
  void on_admitted(net::AnswerTicket ticket);  // by Admission or Departures
  void on_called(net::AnswerTicket ticket);    // by LoginLines
  void on_addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket);
  void on_policy(const auth::PolicyAnswer& said);
  void on_identified(auth::Answer said);
  void on_placed(route::MapAnswer said);
  void on_offloaded(net::AnswerTicket ticket);

  // Ends the session in good order: the proxy shuts down, or an administrator wants it.
  void dismiss(Fault reason);

  // Ends it at once, without a word.
  void cut(Fault reason);

  bool over() const { return over_; }
  bool spliced() const;
  // IMAP after login, where a goodbye can be said between two answers.
  bool can_be_asked_to_leave() const;

 private:
  void expired(Time now) override;
  template <class... Takes, class... Given>
  void answer(net::AnswerTicket ticket, Step (Phase::*event)(SessionContext&, Takes...), Given&&... given);
  bool expects(net::AnswerTicket ticket) const;
  Admission::Charge charge_newcomer() const;
  void ready(int side, bool readable, bool writable);
  void leave_line();
  void do_what_is_due();
  void apply(Step step);
  void set_timer();
  void finish();

  SessionHost& host_;
  std::shared_ptr<const Snapshot> snapshot_;  // until begin()
  const ListenerPlan* listener_;
  Endpoint peer_;
  std::uint32_t slot_;
  std::optional<SessionContext> context_;
  std::unique_ptr<Phase> phase_;
  bool over_ = false;
};

}  // namespace postern
