#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conf/model.h"
#include "parsers/secret.h"
#include "proxy/auth/passwd.h"
#include "proxy/auth/verifier.h"
#include "proxy/pool/capabilities.h"
#include "proxy/pool/pool.h"
#include "proxy/route/map_file.h"
#include "proxy/route/router.h"
#include "proxy/tls/context.h"

namespace postern {

// A pool as sessions use it.
struct StorePool {
  std::string name;
  std::size_t number = 0;  // in the metrics' table of pools
  conf::StoreTls tls = conf::StoreTls::None;
  conf::Forward forward;
  conf::LoginAs login = conf::LoginAs::User;
  bool authorization = false;  // a client may ask to act as another
  std::uint16_t imap_port = 143;
  std::uint16_t pop3_port = 110;
  conf::Pool::Time time;
  std::vector<Protocol> protocols;  // in which users can come to it; none: nothing leads here
  std::string master_user;
  Secret master_password;
  std::shared_ptr<const pool::Pool> members;
  std::vector<std::size_t> backend_numbers;  // in the metrics' table of backends, in the order of the members
  std::shared_ptr<tls::ClientContext> tls_context;  // null when tls is None

  std::size_t number_of(const pool::Backend& backend) const {
    return backend_numbers[static_cast<std::size_t>(&backend - members->backends().data())];
  }
};

struct ListenerPlan {
  std::string name;
  std::size_t number = 0;  // in the metrics' table of listeners
  Protocol protocol = Protocol::Imap;
  conf::ListenTls tls = conf::ListenTls::Implicit;
  std::vector<Endpoint> addresses;
  std::vector<Network> proxy_protocol;
  std::vector<Network> trusted;

  bool needs_proxy_header(const Address& peer) const { return contain(proxy_protocol, peer); }
  bool trusts(const Address& peer) const { return contain(trusted, peer); }

 private:
  static bool contain(const std::vector<Network>& networks, const Address& address) {
    return std::ranges::any_of(networks, [&address](const Network& one) { return one.contains(address); });
  }
};

// Who says whether credentials are right, and what it takes to ask.
struct AuthPlan : conf::Auth {
  std::shared_ptr<auth::Verifier> verifier;        // by = "passwd"
  files::FileState passwd_state;                   // of the file that was read
  std::shared_ptr<tls::ClientContext> http_tls;    // an https url of auth.http
  std::shared_ptr<tls::ClientContext> policy_tls;  // of auth.policy
  Secret policy_key;
  // For stores that a source names together with how they are reached.
  std::shared_ptr<tls::ClientContext> foreign_tls;
  std::shared_ptr<tls::ClientContext> foreign_tls_unverified;

  bool allows_host(const Address& address) const {
    return std::ranges::any_of(allowed_hosts,
                               [&address](const Network& one) { return one.contains(address); });
  }
};

struct MapPlan {
  conf::Map settings;
  std::size_t number = 0;                       // in the metrics' table of maps
  std::shared_ptr<route::CurrentMapFile> file;  // null: redis
  Secret redis_password;

  bool operator==(const MapPlan&) const = default;
};

// What a configuration became. Immutable; every session keeps the one that it began with, so a reload changes
// nothing under it.
struct Snapshot {
  std::string host_name;
  conf::Limits limits;
  AuthPlan auth;
  std::vector<ListenerPlan> listeners;
  std::vector<StorePool> pools;
  std::shared_ptr<const route::Router> router;
  std::shared_ptr<tls::ServerContext> tls;  // null: no listener needs it
  bool asks_for_certificates = false;       // of clients
  std::vector<MapPlan> maps;
  std::shared_ptr<pool::Capabilities> capabilities;
};

}  // namespace postern
