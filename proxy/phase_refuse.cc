#include "proxy/session_context.h"

namespace postern {

Step Refuse::begin(SessionContext& context) {
  const FaultRow& row = describe(refusal.fault);
  const Time now = context.reactor.now();
  const Credentials& credentials = attempt->credentials;
  const Duration delay = context.host.failure_delay().failed(context.record.client.address, credentials.user,
                                                             credentials.password, refusal.fault, now);
  attempt->credentials.password.clear();
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
                            {"user", std::string_view(credentials.user).substr(0, 255)},
                            {"pool", context.record.pool},
                            {"backend", context.record.backend},
                            {"fault", row.name},
                            {"blame", name_of(row.blame)},
                            {"detail", context.record.detail}});
  until = now + delay;
  if (delay == Duration::zero()) return tell(context);
  return Keep{};
}

Step Refuse::expired(SessionContext& context) {
  if (context.reactor.now() >= context.login_deadline()) return Waiting::expired(context);
  return tell(context);
}

Time Refuse::deadline(const SessionContext& context) const {
  return std::min(until, context.login_deadline());
}

Step Refuse::tell(SessionContext& context) {
  attempt->dialogue->reject(refusal);
  if (context.record.attempts >= context.snapshot->limits.login_attempts) {
    context.end(observe::EndedBy::Policy, Fault::TooManyAttempts);
    std::string words;
    if (FrontEvent event = attempt->dialogue->next(); auto* send = std::get_if<Send>(&event))
      words = send->bytes;
    return say_and_close(context, words + attempt->dialogue->farewell(Fault::TooManyAttempts));
  }
  auto next = std::make_unique<Login>();
  next->dialogue = std::move(attempt->dialogue);
  next->front_ended = attempt->front_ended;
  return next;
}

}  // namespace postern
