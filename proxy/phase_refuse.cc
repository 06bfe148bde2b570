#include <algorithm>

#include "proxy/session_context.h"

namespace postern {

namespace {

// What asking again at once makes worse.
bool is_an_outage(Fault fault) {
  const Blame blame = describe(fault).blame;
  return blame == Blame::Store || blame == Blame::Source || blame == Blame::Postern;
}

// How long the client waits for its refusal: for wrong credentials by what its address has failed before, in
// an outage until some time after the login's begin. A relayed mechanism shows no proof that could be told
// from another.
Duration delay_after(SessionContext& context, const Attempt& attempt, Fault fault) {
  const Credentials& credentials = attempt.credentials;
  auth::FailureDelay& delays = context.host.failure_delay();
  const Address& address = context.record.client.address;
  const Time now = context.reactor.now();
  if (is_an_outage(fault)) {
    return std::chrono::ceil<Duration>(attempt.began - now) + delays.pace(context.host.random());
  }
  if (credentials.mechanism == Mechanism::Relayed) return delays.failed(address, fault, now);
  const Secret& proof = credentials.password.empty() ? credentials.message : credentials.password;
  return delays.failed(address, context.record.user, proof, fault, now);
}

}  // namespace

Step Refuse::begin(SessionContext& context) {
  const FaultRow& row = describe(refusal.fault);
  const Credentials& credentials = attempt->credentials;
  const Duration delay = std::max(at_least, delay_after(context, *attempt, refusal.fault));
  report(context, *attempt, refusal.fault);
  attempt->credentials.password.clear();
  attempt->credentials.message.clear();
  attempt->destination.password.clear();
  if (row.blame == Blame::Credentials) ++context.record.attempts;
  context.metrics.of(context.protocol()).login_ended(credentials.mechanism, refusal.fault);
  context.metrics.login_fault(refusal.fault);
  context.last_refusal = refusal.fault;
  context.host.log().event(row.blame == Blame::Credentials ? observe::Level::Info : observe::Level::Warn,
                           "login_refused",
                           {{"session", context.record.session},
                            {"client", context.record.client.to_string()},
                            {"protocol", name_of(context.protocol())},
                            {"listener", context.record.listener},
                            {"mechanism", name_of(credentials.mechanism)},
                            {"user", std::string_view(context.record.user).substr(0, 255)},
                            {"pool", context.record.pool},
                            {"backend", context.record.backend},
                            {"fault", row.name},
                            {"blame", name_of(row.blame)},
                            {"detail", context.record.detail}});
  until = context.end_of_wait(delay);
  return error.empty() ? tell_in_time(context) : challenge(context, error);
}

Step Refuse::answered(SessionContext& context, Secret) { return tell_in_time(context); }

Step Refuse::cancelled(SessionContext& context) {
  told = true;
  return tell_in_time(context);
}

Step Refuse::tell_in_time(SessionContext& context) {
  return until <= context.reactor.now() ? tell(context) : Keep{};
}

Time Refuse::deadline(const SessionContext& context) const {
  return challenged() ? context.login_deadline() : std::min(until, context.login_deadline());
}

Step Refuse::tell(SessionContext& context) {
  if (!told) attempt->dialogue->reject(refusal);
  const bool too_many = context.record.attempts >= context.snapshot->limits.login_attempts;
  if (too_many || close) {
    const Fault fault = too_many ? Fault::TooManyAttempts : refusal.fault;
    context.end(observe::EndedBy::Policy, fault);
    std::string words;
    if (!told) {
      if (FrontEvent event = attempt->dialogue->next(); auto* send = std::get_if<Send>(&event))
        words = send->bytes;
    }
    // POP3 has no farewell beside the answer itself.
    const bool imap = context.protocol() == Protocol::Imap;
    return say_and_close(context, too_many || imap ? words + attempt->dialogue->farewell(fault) : words);
  }
  auto next = std::make_unique<Login>();
  next->dialogue = std::move(attempt->dialogue);
  next->front_ended = attempt->front_ended;
  return next;
}

}  // namespace postern
