#include <algorithm>
#include <chrono>

#include "proxy/session_context.h"

namespace postern {

namespace {

constexpr std::chrono::seconds kToTell{1};

// The least part of login_time that a store or a source is judged by.
Duration share_of(Duration login_time) { return login_time / 4; }

}  // namespace

Duration Attempt::login_time() const { return destination.timeout.value_or(pool->time.login); }

conf::StoreTls Attempt::store_tls() const { return destination.tls.value_or(pool->tls); }

tls::ClientContext& Attempt::store_tls_context(const Snapshot& snapshot) const {
  if (destination.tls && !destination.verify.value_or(true)) return *snapshot.auth.foreign_tls_unverified;
  // The pool's CA counts for whatever its users are sent to.
  return pool->tls_context ? *pool->tls_context : *snapshot.auth.foreign_tls;
}

Time SessionContext::time_to_tell() const {
  return login_deadline() - std::min<Duration>(kToTell, share_of(snapshot->limits.login_time));
}

bool SessionContext::too_late_to_ask(Time asked) const {
  return time_to_tell() - asked < share_of(snapshot->limits.login_time);
}

Time SessionContext::end_of_wait(Duration wait) const {
  const Time now = reactor.now();
  return std::max(now, std::min(now + wait, time_to_tell()));
}

auth::Question question(const SessionContext& context, const Attempt& attempt, net::AnswerTicket ticket) {
  const observe::SessionRecord& record = context.record;
  return {.ticket = ticket,
          .protocol = context.protocol(),
          .credentials = &attempt.credentials,
          .attempt = record.attempts + 1,
          .session = record.session,
          .client = record.client,
          .local = record.local,
          .peer = record.peer,
          .socket = context.socket,
          .by_proxy_header = context.by_proxy_header,
          .secure = context.front.secure(),
          .tls_version = record.tls_version,
          .tls_cipher = record.tls_cipher,
          .server_name = record.server_name,
          .client_id = attempt.client_id,
          .certificate = context.certificate ? &*context.certificate : nullptr};
}

void report(SessionContext& context, Attempt& attempt, Fault fault) {
  if (!attempt.policy) return;
  // What is temporary, or ours, is nobody's guess.
  const bool counts = fault == Fault::None || describe(fault).blame == Blame::Credentials;
  if (const auto policy = context.host.services().policy(); policy && counts) {
    policy->report(*attempt.policy, fault);
  }
  attempt.policy.reset();
}

}  // namespace postern
