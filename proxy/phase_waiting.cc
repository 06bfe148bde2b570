#include "proxy/session_context.h"

namespace postern {

Step Waiting::front_readable(SessionContext& context) {
  const Channel::Reading reading = context.front.read();
  if (!reading.bytes.empty()) attempt->dialogue->receive(reading.bytes);
  wipe_scratch(reading.bytes);
  const std::size_t waiting = attempt->dialogue->buffered();
  if (reading.state != Channel::Reading::State::Open) {
    // A client may pipeline everything it wants and finish its direction; one that finishes it with nothing
    // behind its login has gone.
    if (reading.state == Channel::Reading::State::Failed || waiting == 0) return client_gone(context);
    attempt->front_ended = true;
  }
  context.front.want_read(!attempt->front_ended && waiting <= context.snapshot->limits.line);
  return challenged_ ? hear(context) : Keep{};
}

Step Waiting::front_flushed(SessionContext& context) { return challenged_ ? hear(context) : Keep{}; }

Step Waiting::challenge(SessionContext& context, std::string_view message) {
  attempt->dialogue->challenge(message);
  challenged_ = true;
  asked_at_ = {};
  return hear(context);
}

Step Waiting::hear(SessionContext& context) {
  for (;;) {
    FrontEvent event = attempt->dialogue->next();
    if (auto* send = std::get_if<Send>(&event)) {
      if (!context.front.write(send->bytes)) return client_gone(context);
    } else if (auto* response = std::get_if<Response>(&event)) {
      challenged_ = false;
      return answered(context, std::move(response->message));
    } else if (std::holds_alternative<Cancelled>(event)) {
      challenged_ = false;
      return cancelled(context);
    } else if (auto* close = std::get_if<Close>(&event)) {
      context.end(observe::EndedBy::Policy, close->fault);
      return std::make_unique<Closing>();
    } else {  // NeedData
      if (attempt->front_ended) return client_gone(context);
      return Keep{};
    }
  }
}

Step Waiting::cancelled(SessionContext& context) {
  // A token needs no challenge but the one that says why it was refused (RFC 7628 §3.2.3).
  if (attempt->is_token()) {
    context.record.detail = "the client gave up when it was told that its token was refused";
    auto next = std::make_unique<Refuse>();
    next->refusal = {Fault::BadCredentials, {}, {}};
    next->told = true;
    next->attempt = std::move(attempt);
    return next;
  }
  attempt->credentials.password.clear();
  attempt->credentials.message.clear();
  auto next = std::make_unique<Login>();
  next->dialogue = std::move(attempt->dialogue);
  next->front_ended = attempt->front_ended;
  return next;
}

Step Waiting::expired(SessionContext& context) {
  if (!challenged_ && !context.too_late_to_ask(asked_at_)) return unanswered(context);
  if (!challenged_ && !attempt->tried.empty()) return refuse(attempt->last_refusal);
  const Fault fault = context.end_late();
  return say_and_close(context, attempt->dialogue->farewell(fault));
}

Step Waiting::dismiss(SessionContext& context, Fault reason) {
  context.end(observe::EndedBy::Killed, reason);
  return say_and_close(context, attempt->dialogue->farewell(reason));
}

Time Waiting::deadline(const SessionContext& context) const {
  const bool of_the_client = challenged_ || context.too_late_to_ask(asked_at_);
  return of_the_client ? context.login_deadline() : context.time_to_tell();
}

void Waiting::blame(SessionContext& context, const pool::Backend& backend, Refusal refusal,
                    bool credentials_sent, std::string detail) {
  const StorePool& pool = *attempt->pool;
  const FaultRow& row = describe(refusal.fault);
  const Time now = context.reactor.now();
  const bool member = !attempt->foreign;
  if (member && pool.members->note(backend, refusal.fault, now, credentials_sent) == pool::Change::Ejected) {
    context.host.log().event(observe::Level::Warn, "backend_ejected",
                             {{"pool", pool.name}, {"backend", backend.name()}, {"fault", row.name}});
  }
  context.record.detail = backend.name() + ": " + detail;
  if (row.blame != Blame::Credentials) {
    // The master's password is the pool's, not the backend's.
    if (member && refusal.fault != Fault::MasterRefused) {
      context.metrics.backends[pool.number_of(backend)].failed(refusal.fault);
    }
    context.host.log().event(observe::Level::Warn, "backend_failed",
                             {{"session", context.record.session},
                              {"pool", pool.name},
                              {"backend", backend.name()},
                              {"fault", row.name},
                              {"detail", detail}});
  }
  attempt->last_refusal = std::move(refusal);
  attempt->tried.push_back(&backend);
}

Step Waiting::failed(SessionContext& context, const pool::Backend& backend, Refusal refusal,
                     bool credentials_sent, std::string detail) {
  blame(context, backend, std::move(refusal), credentials_sent, std::move(detail));
  // Once the store may have seen the credentials, only its own word that it can't serve now frees us to ask
  // another: a login that was cut off may count as a failure there.
  const bool asks_for_another = !attempt->foreign && !attempt->bound &&
                                (!credentials_sent || attempt->last_refusal.fault == Fault::StoreUnavailable);
  const bool may_help = describe(attempt->last_refusal.fault).other_backend_may_help;
  if (!may_help || !asks_for_another) return refuse(attempt->last_refusal);
  auto next = std::make_unique<Connect>();
  next->attempt = std::move(attempt);
  return next;
}

Step Waiting::refuse(Refusal refusal) {
  auto next = std::make_unique<Refuse>();
  next->refusal = std::move(refusal);
  next->attempt = std::move(attempt);
  return next;
}

}  // namespace postern
