#include "proxy/compose.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/compose_auth.h"

namespace postern {

namespace {

std::shared_ptr<tls::ServerContext> front_tls(const conf::Loaded& loaded, Problems& problems) {
  const conf::Config& config = loaded.config;
  const bool needed = std::ranges::any_of(
      config.listeners, [](const conf::Listener& listener) { return listener.tls != conf::ListenTls::None; });
  if (!needed) return nullptr;
  tls::ServerSettings settings;
  bool usable = true;
  for (std::size_t i = 0; i < config.tls.certificates.size(); ++i) {
    const conf::CertificateFiles& files = config.tls.certificates[i];
    settings.certificates.push_back({files.chain, files.key});
    if (const auto info = tls::inspect({files.chain, files.key}); !info) {
      problems.push_back(loaded.source.at("tls.certificates[" + std::to_string(i) + "]", info.error()));
      usable = false;
    }
  }
  if (!usable) return nullptr;
  settings.minimum_1_3 = config.tls.minimum == conf::TlsVersion::V1_3;
  settings.ticket_seed_file = config.tls.ticket_seed_file;
  settings.client_ca = config.tls.client_ca;
  auto context = tls::ServerContext::create(settings);
  if (!context) {
    problems.push_back(loaded.source.at("tls", context.error()));
    return nullptr;
  }
  return *context;
}

const StorePool* find_pool(const Snapshot* snapshot, const std::string& name) {
  if (snapshot == nullptr) return nullptr;
  const auto found = std::ranges::find(snapshot->pools, name, &StorePool::name);
  return found == snapshot->pools.end() ? nullptr : &*found;
}

// A map and a source of identities may name any pool.
std::vector<Protocol> protocols_of(const conf::Config& config, const std::string& pool) {
  const bool named_by_source = config.auth.by != conf::AuthBy::Store;
  std::vector<Protocol> protocols;
  for (const conf::Listener& listener : config.listeners) {
    const bool routed = std::ranges::any_of(config.routes, [&](const conf::Route& route) {
      return (route.listener.empty() || route.listener == listener.name) &&
             (!route.map.empty() || route.pool == pool);
    });
    if ((named_by_source || routed) && std::ranges::find(protocols, listener.protocol) == protocols.end())
      protocols.push_back(listener.protocol);
  }
  return protocols;
}

StorePool make_pool(const conf::Loaded& loaded, const conf::Pool& settings, const Snapshot* previous,
                    observe::Metrics* metrics, Time now, Problems& problems) {
  const std::string path = conf::join("pool", settings.name);
  StorePool pool;
  pool.name = settings.name;
  pool.tls = settings.tls;
  pool.forward = settings.forward;
  pool.login = settings.login;
  pool.authorization = settings.authorization;
  pool.imap_port = settings.imap_port;
  pool.pop3_port = settings.pop3_port;
  pool.time = settings.time;
  pool.protocols = protocols_of(loaded.config, settings.name);
  pool.master_user = settings.master_user;
  if (settings.login == conf::LoginAs::Master) {
    pool.master_password = read_secret(loaded, conf::join(path, "master_password_file"),
                                       settings.master_password_file, problems);
  }
  const StorePool* former = find_pool(previous, settings.name);
  pool.members =
      std::make_shared<pool::Pool>(settings, former == nullptr ? nullptr : former->members.get(), now);
  if (settings.tls != conf::StoreTls::None) {
    auto context = tls::ClientContext::create({.ca_file = settings.ca_file, .verify = settings.verify});
    if (context) {
      pool.tls_context = *context;
    } else {
      problems.push_back(loaded.source.at(conf::join(path, "ca_file"), context.error()));
    }
  }
  pool.number = metrics == nullptr ? 0 : metrics->pool(settings.name);
  for (const pool::Backend& backend : pool.members->backends()) {
    pool.backend_numbers.push_back(metrics == nullptr ? 0 : metrics->backend(settings.name, backend.name()));
  }
  return pool;
}

}  // namespace

std::expected<std::shared_ptr<const Snapshot>, std::vector<conf::Diagnostic>> compose(
    const conf::Loaded& loaded, const Snapshot* previous, observe::Metrics* metrics, Time now) {
  const conf::Config& config = loaded.config;
  Problems problems;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->host_name = config.server.name;
  snapshot->limits = config.limits;
  snapshot->auth = make_auth(loaded, previous, problems);
  snapshot->maps = make_maps(loaded, previous, problems);
  for (MapPlan& map : snapshot->maps) map.number = metrics ? metrics->map(map.settings.name) : 0;
  snapshot->tls = front_tls(loaded, problems);
  snapshot->asks_for_certificates = !config.tls.client_ca.empty();
  for (const conf::Pool& pool : config.pools) {
    snapshot->pools.push_back(make_pool(loaded, pool, previous, metrics, now, problems));
  }
  auto router = route::Router::build(config.routes, config.pools);
  if (router) {
    snapshot->router = std::make_shared<const route::Router>(std::move(*router));
  } else {
    for (const route::RouteError& error : router.error()) {
      problems.push_back(loaded.source.at("route[" + std::to_string(error.route) + "]", error.text));
    }
  }
  for (const conf::Listener& listener : config.listeners) {
    snapshot->listeners.push_back(
        {.name = listener.name,
         .number = metrics == nullptr ? 0 : metrics->listener(listener.name, listener.protocol),
         .protocol = listener.protocol,
         .tls = listener.tls,
         .addresses = listener.addresses,
         .proxy_protocol = listener.proxy_protocol,
         .trusted = listener.trusted});
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));

  snapshot->capabilities =
      previous == nullptr ? std::make_shared<pool::Capabilities>() : previous->capabilities;
  return snapshot;
}

void put_into_use(const Snapshot& snapshot) {
  std::vector<const pool::Pool*> members;
  for (const StorePool& pool : snapshot.pools) members.push_back(pool.members.get());
  snapshot.capabilities->set_pools(members);
}

}  // namespace postern
