#include <algorithm>

#include "proxy/session_context.h"

namespace postern {

Lookup::~Lookup() {
  if (map_) map_->cancel(ticket_);
}

Step Lookup::begin(SessionContext& context) {
  began_ = attempt->began;
  if (const std::string& pool = attempt->destination.pool; !pool.empty()) {
    return use(context, pool, attempt->destination.backend, "the source of identities");
  }
  return route(context, 0);
}

void Lookup::leave(SessionContext& context) { context.record.lookup = context.reactor.now() - began_; }

Step Lookup::route(SessionContext& context, std::size_t first) {
  const Snapshot& snapshot = *context.snapshot;
  const auto match =
      snapshot.router->match({attempt->user, context.listener.name, context.record.server_name}, first);
  if (!match) return refuse({Fault::NoRoute, {}, {}});
  if (match->map.empty()) return go(context, snapshot.pools[match->pool], match->backend);
  route_ = match->route;
  ticket_ = context.ticket;
  map_ = context.host.services().map(match->map);
  if (!map_) {
    context.record.detail = "map " + std::string(match->map) + " went away with a reload";
    return refuse({Fault::LookupUnavailable, {}, {}});
  }
  asked_at_ = context.reactor.now();
  if (auto answer = map_->find(attempt->user, ticket_)) return placed(context, std::move(*answer));
  return Keep{};
}

Step Lookup::placed(SessionContext& context, route::MapAnswer&& answer) {
  map_.reset();
  const std::string map(context.snapshot->router->map_of(route_));
  count(context, map, answer);
  if (answer.fault != Fault::None) {
    context.record.detail = "map " + map + ": " + answer.detail;
    return refuse({answer.fault, {}, {}});
  }
  if (!answer.place) return route(context, route_ + 1);
  return use(context, answer.place->pool, answer.place->backend, "map " + map);
}

Step Lookup::unanswered(SessionContext& context) {
  map_->cancel(ticket_);
  route::MapAnswer none;
  none.fault = Fault::LookupUnavailable;
  none.detail = "no answer before login_time was over";
  return placed(context, std::move(none));
}

void Lookup::count(SessionContext& context, std::string_view map, const route::MapAnswer& answer) const {
  const auto& maps = context.snapshot->maps;
  const auto plan =
      std::ranges::find(maps, map, [](const MapPlan& one) { return std::string_view(one.settings.name); });
  if (plan == maps.end()) return;
  observe::MapMetrics& metrics = context.metrics.maps[plan->number];
  if (answer.cached) metrics.cache_hits.add();
  if (answer.fault != Fault::None) {
    metrics.answered(observe::MapResult::Failed);
  } else if (answer.stale) {
    metrics.answered(observe::MapResult::Stale);
  } else {
    metrics.answered(answer.place ? observe::MapResult::Found : observe::MapResult::NotFound);
  }
}

Step Lookup::use(SessionContext& context, std::string_view pool, std::string_view backend,
                 std::string_view who) {
  const auto& pools = context.snapshot->pools;
  const auto found = std::ranges::find(pools, pool, &StorePool::name);
  if (found == pools.end()) {
    context.record.detail = std::string(who) + " names pool " + std::string(pool) + ", which is not there";
    return refuse({Fault::LookupInvalid, {}, {}});
  }
  if (!backend.empty() && found->members->find(backend) == nullptr) {
    context.record.detail = std::string(who) + " names backend " + std::string(backend) + " of pool " +
                            std::string(pool) + ", which is not there";
    return refuse({Fault::LookupInvalid, {}, {}});
  }
  return go(context, *found, backend);
}

Step Lookup::go(SessionContext& context, const StorePool& pool, std::string_view backend) {
  attempt->pool = &pool;
  attempt->fixed_backend = backend;
  context.record.pool = pool.name;
  const auth::Destination& destination = attempt->destination;
  if (const Fault fault = cannot_log_in(context, pool); fault != Fault::None) return refuse({fault, {}, {}});
  if (!destination.host.empty()) {
    // A store that is a member of the pool keeps its health, its limits and its name.
    const auto members = pool.members->backends();
    const auto member = std::ranges::find_if(members, [&](const pool::Backend& one) {
      return one.host() == destination.host &&
             (destination.port == 0 || one.port(context.protocol()) == destination.port);
    });
    if (member == members.end()) {
      attempt->foreign.emplace(foreign_backend(pool, destination));
    } else {
      attempt->fixed_backend = member->name();
    }
  }
  auto next = std::make_unique<Connect>();
  next->attempt = std::move(attempt);
  return next;
}

// What makes a login at the pool's stores impossible before any of them is asked.
Fault Lookup::cannot_log_in(SessionContext& context, const StorePool& pool) const {
  const Credentials& credentials = attempt->credentials;
  const auth::Destination& destination = attempt->destination;
  const bool by_pools_master = pool.login == conf::LoginAs::Master && destination.master.empty();
  if (by_pools_master || !destination.password.empty()) return Fault::None;
  if (!credentials.authorization.empty() && destination.master.empty() && !pool.authorization) {
    context.record.detail = "pool " + pool.name + " lets nobody act as another user";
    return Fault::NotAuthorized;
  }
  if (credentials.password.empty()) {
    context.record.detail = "there is no password for the store: the mechanism gave none, nor did the source";
    return Fault::NoStorePassword;
  }
  return Fault::None;
}

pool::Backend Lookup::foreign_backend(const StorePool& pool, const auth::Destination& destination) {
  conf::Pool settings;
  settings.name = pool.name;
  settings.imap_port = destination.port != 0 ? destination.port : pool.imap_port;
  settings.pop3_port = destination.port != 0 ? destination.port : pool.pop3_port;
  settings.limits.pending_logins = 0;
  conf::Backend backend;
  backend.name = destination.host;
  backend.host = destination.host;
  return {settings, backend, std::make_shared<pool::BackendState>()};
}

}  // namespace postern
