#include "proxy/session_context.h"

namespace postern {

namespace {

// What an inner proxy told of the client, when this listener believes it. False: it can't be believed.
bool adopt(SessionContext& context, const Forwarded& forwarded) {
  if (!context.listener.trusts(context.record.peer.address)) return true;
  if (forwarded.malformed) return false;
  if (forwarded.client) context.record.client = *forwarded.client;
  if (forwarded.connected) context.record.local = *forwarded.connected;
  if (!forwarded.session.empty()) context.record.session = forwarded.session;
  if (!forwarded.server_name.empty()) context.record.server_name = forwarded.server_name;
  if (forwarded.hops_left) context.hops_left = *forwarded.hops_left == 0 ? 0 : *forwarded.hops_left - 1;
  return true;
}

}  // namespace

Step Lookup::begin(SessionContext& context) {
  const Credentials& credentials = attempt->credentials;
  observe::SessionRecord& record = context.record;
  record.user = credentials.user;
  record.mechanism = credentials.mechanism;
  if (!record.dialogue)
    record.dialogue = attempt->began - context.accepted - record.handshake.value_or(Time::duration::zero());
  if (!adopt(context, attempt->dialogue->forwarded())) {
    return refuse({Fault::ProxyHeader, {}, {}});
  }
  if (context.hops_left == 0) return refuse({Fault::Loop, {}, {}});
  if (!credentials.authorization.empty()) return refuse({Fault::NotAuthorized, {}, {}});
  if (!context.snapshot->verifier) return route(context, {}, {});
  if (!context.host.verify(*context.snapshot->verifier, credentials.user, credentials.password,
                           context.ticket)) {
    return refuse({Fault::AuthUnavailable, {}, {}});
  }
  return Keep{};
}

Step Lookup::verified(SessionContext& context, const auth::Answer& answer) {
  if (answer.fault != Fault::None) return refuse({answer.fault, {}, {}});
  return route(context, answer.pool, answer.backend);
}

Step Lookup::route(SessionContext& context, std::string_view pool, std::string_view backend) {
  const Snapshot& snapshot = *context.snapshot;
  if (!pool.empty()) {
    for (const StorePool& candidate : snapshot.pools) {
      if (candidate.name == pool) attempt->pool = &candidate;
    }
    if (attempt->pool == nullptr) {
      context.record.detail = "the password file names pool " + std::string(pool) + ", which is not there";
      return refuse({Fault::AuthUnavailable, {}, {}});
    }
    attempt->fixed_backend = backend;
  } else {
    const auto match = snapshot.router->match(
        {attempt->credentials.user, context.listener.name, context.record.server_name});
    if (!match) return refuse({Fault::NoRoute, {}, {}});
    attempt->pool = &snapshot.pools[match->pool];
    attempt->fixed_backend = match->backend;
  }
  context.record.pool = attempt->pool->name;
  context.record.lookup = context.reactor.now() - attempt->began;
  auto next = std::make_unique<Connect>();
  next->attempt = std::move(attempt);
  return next;
}

}  // namespace postern
