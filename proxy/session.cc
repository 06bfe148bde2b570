#include "proxy/session.h"

#include <utility>

namespace postern {

namespace {

// In a shorter line it costs less to be told of the same bytes again than to ask not to be.
constexpr std::size_t kShortLine = 64;

}  // namespace

Session::Session(SessionHost& host, std::shared_ptr<const Snapshot> snapshot, const ListenerPlan& listener,
                 const Endpoint& peer, std::uint32_t slot)
    : host_(host), snapshot_(std::move(snapshot)), listener_(&listener), peer_(peer), slot_(slot) {}

Session::~Session() = default;

void Session::begin(std::unique_ptr<net::Transport> front) {
  context_.emplace(SessionContext{.host = host_,
                                  .reactor = host_.reactor(),
                                  .metrics = host_.metrics(),
                                  .snapshot = std::move(snapshot_),
                                  .listener = *listener_,
                                  .owner = this,
                                  .front = Channel(host_.reactor(), std::move(front)),
                                  .ticket = {slot_, 0},
                                  .accepted = host_.reactor().now(),
                                  .address_ticket = {},
                                  .hops_left = 6,
                                  .record = {}});
  observe::SessionRecord& record = context_->record;
  record.listener = listener_->name;
  record.protocol = listener_->protocol;
  record.session = host_.new_session_id();
  record.peer = record.client = peer_;
  record.local = context_->socket = context_->front.local();
  context_->metrics.accepted[listener_->number].add();
  context_->metrics.of(listener_->protocol).prelogin.add(1);
  const Admission::Charge charge(host_.admission(), context_->reactor, true);
  apply(std::make_unique<Preface>());
}

void Session::on_ready(int side, bool readable, bool writable) {
  if (over_) return;
  if (!phase_->newcomer()) {
    ready(side, readable, writable);
    return;
  }
  SessionContext::Due& due = context_->due;
  (side == kBack ? due.back_readable : due.front_readable) |= readable;
  (side == kBack ? due.back_writable : due.front_writable) |= writable;
  if (context_->takes_turn()) {
    do_what_is_due();
  } else if (host_.admission().waiting() > kShortLine) {
    Channel* channel = side == kBack ? phase_->store_channel() : &context_->front;
    if (channel != nullptr) channel->ignore();
  }
}

void Session::ready(int side, bool readable, bool writable) {
  if (side == kBack) {
    apply(phase_->back_ready(*context_, readable, writable));
    return;
  }
  if (writable && context_->front.unwritten() > 0) {
    if (!context_->front.flush()) {
      apply(client_gone(*context_));
      return;
    }
    if (context_->front.unwritten() == 0) apply(phase_->front_flushed(*context_));
  }
  if (readable && !over_) apply(phase_->front_readable(*context_));
}

void Session::on_admitted(net::AnswerTicket ticket) {
  if (!expects(ticket)) return;
  if (!phase_->newcomer()) {
    apply(phase_->admitted(*context_));
  } else if (context_->in_line) {  // else it had its turn already
    leave_line();
    do_what_is_due();
  }
}

void Session::leave_line() {
  context_->in_line = false;
  context_->front.heed();
  if (Channel* channel = phase_->store_channel()) channel->heed();
}

// A step may lead to another phase: what was due before it is told again if it still matters.
void Session::do_what_is_due() {
  const Admission::Charge charge = charge_newcomer();
  const SessionContext::Due due = std::exchange(context_->due, {});
  const net::AnswerTicket ticket = context_->ticket;
  if (due.back_readable || due.back_writable) ready(kBack, due.back_readable, due.back_writable);
  if ((due.front_readable || due.front_writable) && expects(ticket)) {
    ready(kFront, due.front_readable, due.front_writable);
  }
  if (due.asked && expects(ticket)) apply(phase_->admitted(*context_));
}

void Session::on_addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  answer(ticket, &Phase::addresses, addresses);
}

void Session::on_policy(const auth::PolicyAnswer& said) { answer(said.ticket, &Phase::policy, said); }

void Session::on_identified(auth::Answer said) {
  const net::AnswerTicket ticket = said.ticket;
  answer(ticket, &Phase::identified, std::move(said));
}

void Session::on_placed(route::MapAnswer said) {
  const net::AnswerTicket ticket = said.ticket;
  answer(ticket, &Phase::placed, std::move(said));
}

void Session::on_offloaded(net::AnswerTicket ticket) { answer(ticket, &Phase::offloaded); }

void Session::on_called(net::AnswerTicket ticket) { answer(ticket, &Phase::admitted); }

template <class... Takes, class... Given>
void Session::answer(net::AnswerTicket ticket, Step (Phase::*event)(SessionContext&, Takes...),
                     Given&&... given) {
  if (!expects(ticket)) return;
  const Admission::Charge charge = charge_newcomer();
  apply((phase_.get()->*event)(*context_, std::forward<Given>(given)...));
}

bool Session::expects(net::AnswerTicket ticket) const { return !over_ && ticket == context_->ticket; }

Admission::Charge Session::charge_newcomer() const {
  return {host_.admission(), context_->reactor, phase_->newcomer().has_value()};
}

void Session::dismiss(Fault reason) {
  if (!over_) apply(phase_->dismiss(*context_, reason));
}

void Session::cut(Fault reason) {
  if (over_) return;
  context_->end(observe::EndedBy::Killed, reason);
  finish();
}

bool Session::spliced() const { return dynamic_cast<const Splice*>(phase_.get()) != nullptr; }

bool Session::can_be_asked_to_leave() const {
  const auto* splice = dynamic_cast<const Splice*>(phase_.get());
  return splice != nullptr && splice->can_say_goodbye(*context_);
}

void Session::expired(Time now) {
  if (over_) return;
  // The timer may stand at a moment that an earlier phase, or less activity, asked for.
  if (now < phase_->deadline(*context_)) {
    set_timer();
    return;
  }
  if (context_->in_line && (context_->due.back_readable || context_->due.back_writable)) {
    const net::AnswerTicket ticket = context_->ticket;
    leave_line();  // what the store did was in time
    do_what_is_due();
    if (!expects(ticket) || now < phase_->deadline(*context_)) return;
  }
  const Admission::Charge charge = charge_newcomer();
  apply(phase_->expired(*context_));
}

void Session::apply(Step step) {
  while (auto* next = std::get_if<std::unique_ptr<Phase>>(&step)) {
    if (phase_) phase_->leave(*context_);
    phase_ = std::move(*next);
    context_->phase = phase_.get();
    context_->ticket.generation = host_.new_generation();
    context_->due = {};
    context_->in_line = false;
    step = phase_->begin(*context_);
  }
  if (std::holds_alternative<Over>(step)) {
    finish();
  } else {
    set_timer();
  }
}

void Session::set_timer() {
  const Time deadline = phase_->deadline(*context_);
  if (!running() || deadline < this->deadline()) context_->reactor.timers().start(*this, deadline);
}

void Session::finish() {
  if (over_) return;
  over_ = true;
  stop();
  if (!context_->end_noted) context_->end(observe::EndedBy::Internal, Fault::None, "no reason was noted");
  phase_->leave(*context_);
  observe::SessionRecord& record = context_->record;
  observe::ProtocolMetrics& metrics = context_->metrics.of(listener_->protocol);
  record.total = context_->reactor.now() - context_->accepted;
  if (record.login) {
    metrics.spliced.add(-1);
    metrics.session.observe(*record.total);
  } else {
    metrics.prelogin.add(-1);
    const bool left_after_refusal = record.fault == Fault::None || record.fault == Fault::ClientClosed ||
                                    record.fault == Fault::TooManyAttempts ||
                                    record.fault == Fault::LoginTimeout;
    if (context_->last_refusal != Fault::None && left_after_refusal) {
      record.fault = context_->last_refusal;
    } else if (record.fault != Fault::None) {
      context_->metrics.login_fault(record.fault);
    }
  }
  context_->metrics.session_closed(record.ended_by, record.ended_in);
  host_.log().session(record);
  phase_.reset();
  context_->phase = nullptr;
  context_->address_ticket = {};  // in a crowd it may take a while to be buried
  context_->front.ignore();
  host_.bury(slot_);
}

bool SessionContext::takes_turn() {
  const auto step = phase->newcomer();
  if (!step) return true;
  if (!in_line) in_line = !host.admission().enter(*step, ticket);
  return !in_line;
}

bool SessionContext::ask_for_turn() {
  const bool now = takes_turn();
  due.asked = !now;
  return now;
}

void SessionContext::end(observe::EndedBy by, Fault fault, std::string detail) {
  if (end_noted) return;
  end_noted = true;
  record.ended_by = by;
  record.ended_in = phase->letter();
  record.fault = fault;
  if (!detail.empty()) record.detail = std::move(detail);
  if (phase->login_under_way() && record.mechanism && fault != Fault::None) {
    metrics.of(protocol()).login_ended(*record.mechanism, fault);
  }
}

Fault SessionContext::end_late(std::string detail) {
  if (in_line && due.front_readable) {
    end(observe::EndedBy::Internal, Fault::Exhausted, "waited in line with what the client sent");
  } else {
    end(observe::EndedBy::ClientTimeout, Fault::LoginTimeout, std::move(detail));
  }
  return record.fault;
}

void SessionContext::end_well() {
  if (end_noted) return;
  end(observe::EndedBy::Nobody, Fault::None);
  record.ended_in = observe::EndedIn::Done;
}

Step client_gone(SessionContext& context, std::string detail) {
  context.end(observe::EndedBy::Client, Fault::ClientClosed, std::move(detail));
  return Over{};
}

Step say_and_close(SessionContext& context, std::string_view words) {
  if (!context.front.write(words)) return Over{};
  return std::make_unique<Closing>();
}

}  // namespace postern
