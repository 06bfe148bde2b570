#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/auth/passwd_source.h"
#include "proxy/auth/policy.h"
#include "proxy/auth/source.h"
#include "proxy/net/reactor.h"
#include "proxy/observe/log.h"
#include "proxy/route/map.h"
#include "proxy/snapshot.h"

namespace postern {

// What one worker asks about users: the source of identity, the policy service, the maps. Belongs to the
// worker's loop. A reload replaces what it changed; what was asked before is still answered by those who were
// asked.
class Services {
 public:
  struct Hooks {
    std::function<void()> wake;  // from any thread: the loop shall call woken()
    auth::Source::Deliver identified;
    auth::Policy::Deliver policy;
    route::Map::Deliver placed;
    // The connection of a map is lost, and why; or it stands again.
    std::function<void(std::string_view map, bool connected, const std::string& why)> map_connection;
  };
  Services(net::Reactor& reactor, Hooks hooks);
  Services(const Services&) = delete;
  ~Services();

  void use(std::shared_ptr<const Snapshot> snapshot);
  // The maps alone, before any use().
  void use_maps(const std::vector<MapPlan>& plans);

  // Null: the store decides; there is no policy service; there is no map of this name (any more). Who holds
  // one while it waits for an answer keeps it alive.
  std::shared_ptr<auth::Source> source() const { return source_; }
  // The same for a session whose configuration asks `by`. A source of another kind would not know what that
  // configuration has let pass, so it is null too.
  std::shared_ptr<auth::Source> source(conf::AuthBy by) const;
  std::shared_ptr<auth::Policy> policy() const { return policy_; }
  std::shared_ptr<route::Map> map(std::string_view name) const;

  void woken();
  void addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket);
  // Now and then: forgets what a reload replaced and nobody waits for any more.
  void beat(Time now);

 private:
  struct Retired {
    std::shared_ptr<void> what;
    Time at_least;       // reports to a policy service may be under way, and nobody holds it for them
    std::uint32_t slot;  // 0: none
  };
  struct NamedMap {
    std::shared_ptr<route::Map> map;
    std::uint32_t slot = 0;  // 0: none
  };
  std::uint32_t new_slot();
  void retire(std::shared_ptr<void> what, std::uint32_t slot);
  bool keeps(const MapPlan& plan) const;
  void use_source(const AuthPlan& plan);
  void use_policy(const AuthPlan& plan);

  net::Reactor& reactor_;
  Hooks hooks_;
  std::shared_ptr<const Snapshot> made_from_;  // null: nothing was made yet
  std::shared_ptr<auth::Source> source_;
  std::shared_ptr<auth::PasswdSource> passwd_;  // the same object, when it is one
  std::shared_ptr<auth::Policy> policy_;
  std::map<std::string, NamedMap, std::less<>> maps_;
  std::vector<Retired> retired_;
  std::vector<std::weak_ptr<auth::PasswdSource>> retired_passwds_;  // some of them
  std::map<std::uint32_t, net::Service*> services_;                 // by slot; the retired included
  std::uint32_t source_slot_ = 0;
  std::uint32_t policy_slot_ = 0;
  std::uint16_t next_slot_ = 0;
};

// What Hooks::map_connection tells, for the log.
void log_map_connection(observe::Log& log, std::string_view map, bool connected, const std::string& why);

}  // namespace postern
