#include "proxy/session_context.h"

namespace postern {

Step Approve::begin(SessionContext& context) {
  // Another source has been asked about already.
  if (context.snapshot->auth.by != conf::AuthBy::Store || !context.host.services().policy())
    return allowed(context);
  back->want_read(false);
  return ask_policy(context);
}

Step Approve::back_ready(SessionContext& context, bool, bool writable) {
  if (writable && !back->flush()) {
    context.record.detail =
        std::string(context.record.backend) + ": closed the connection behind its answer to the login";
    return refuse({Fault::StoreClosed, {}, {}});
  }
  return Keep{};
}

Step Approve::allowed(SessionContext& context) {
  report(context, *attempt, Fault::None);
  auto user = context.host.limiter().enter(attempt->user);
  if (!user) return refuse({user.error(), {}, {}});

  observe::SessionRecord& record = context.record;
  record.login = context.reactor.now() - context.accepted;
  record.detail.clear();
  observe::ProtocolMetrics& metrics = context.metrics.of(context.protocol());
  metrics.login_ended(attempt->credentials.mechanism, Fault::None);
  metrics.login.observe(*record.login);
  metrics.prelogin.add(-1);
  metrics.spliced.add(1);
  context.address_ticket.logged_in();

  auto next = std::make_unique<Splice>();
  next->session_ticket = std::move(session_ticket);
  next->user_ticket = std::move(*user);
  next->store_rest = std::move(store_rest);
  next->front_ended = attempt->front_ended;
  attempt->dialogue->accept(welcome);
  FrontEvent event = attempt->dialogue->next();
  while (auto* send = std::get_if<Send>(&event)) {
    next->greeting += send->bytes;
    event = attempt->dialogue->next();
  }
  next->client_rest = attempt->dialogue->take_rest();
  next->back = std::move(back);
  return next;
}

}  // namespace postern
