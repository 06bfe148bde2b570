#include "proxy/services.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/auth/dovecot_source.h"
#include "proxy/auth/http_source.h"
#include "proxy/route/map_file.h"
#include "proxy/route/redis_map.h"

namespace postern {

namespace {

// For what is under way without anybody who waits for it.
constexpr std::chrono::seconds kGrace{30};

// What of [auth] makes a source. A context of TLS is made anew by each reload, with what its CA file says
// then.
bool same_source(const AuthPlan& a, const AuthPlan& b) {
  return a.by == b.by && a.http == b.http && a.dovecot == b.dovecot && a.verifier == b.verifier &&
         a.http_tls == b.http_tls;
}

bool same_policy(const AuthPlan& a, const AuthPlan& b) {
  return a.policy == b.policy && a.policy_key == b.policy_key && a.policy_tls == b.policy_tls;
}

}  // namespace

Services::Services(net::Reactor& reactor, Hooks hooks) : reactor_(reactor), hooks_(std::move(hooks)) {}

Services::~Services() = default;

void Services::use(std::shared_ptr<const Snapshot> snapshot) {
  use_source(snapshot->auth);
  use_policy(snapshot->auth);
  use_maps(snapshot->maps);
  made_from_ = std::move(snapshot);
}

void Services::use_source(const AuthPlan& plan) {
  if (made_from_ && same_source(plan, made_from_->auth)) return;
  retire(std::move(source_), std::exchange(source_slot_, 0));
  if (passwd_) retired_passwds_.push_back(passwd_);
  source_.reset();
  passwd_.reset();
  switch (plan.by) {
    case conf::AuthBy::Store:
      return;
    case conf::AuthBy::Passwd:
      passwd_ = std::make_shared<auth::PasswdSource>(plan.verifier, hooks_.wake, hooks_.identified);
      source_ = passwd_;
      return;
    case conf::AuthBy::Http: {
      source_slot_ = new_slot();
      auto source = std::make_shared<auth::HttpSource>(reactor_, *plan.http, plan.http_tls, source_slot_,
                                                       hooks_.identified);
      services_[source_slot_] = source.get();
      source_ = std::move(source);
      return;
    }
    case conf::AuthBy::Dovecot: {
      source_slot_ = new_slot();
      auto source = std::make_shared<auth::DovecotSource>(reactor_, *plan.dovecot, source_slot_,
                                                          hooks_.identified, std::chrono::system_clock::now);
      services_[source_slot_] = source.get();
      source_ = std::move(source);
      return;
    }
  }
}

void Services::use_policy(const AuthPlan& plan) {
  if (made_from_ && same_policy(plan, made_from_->auth)) return;
  retire(std::move(policy_), std::exchange(policy_slot_, 0));
  policy_.reset();
  if (!plan.policy) return;
  policy_slot_ = new_slot();
  policy_ = std::make_shared<auth::Policy>(reactor_, *plan.policy, plan.policy_key.clone(), plan.policy_tls,
                                           policy_slot_, hooks_.policy);
  services_[policy_slot_] = policy_.get();
}

bool Services::keeps(const MapPlan& plan) const {
  return made_from_ && std::ranges::find(made_from_->maps, plan) != made_from_->maps.end();
}

void Services::use_maps(const std::vector<MapPlan>& plans) {
  std::map<std::string, NamedMap, std::less<>> maps;
  for (const MapPlan& plan : plans) {
    if (keeps(plan)) {
      maps.insert(maps_.extract(plan.settings.name));
      continue;
    }
    NamedMap& made = maps[plan.settings.name];
    if (plan.file) {
      made.map = std::make_shared<route::FileMap>(plan.file);
    } else {
      made.slot = new_slot();
      auto map = std::make_shared<route::RedisMap>(
          reactor_, plan.settings, plan.redis_password.clone(), made.slot, hooks_.placed,
          [this, name = plan.settings.name](bool connected, const std::string& why) {
            hooks_.map_connection(name, connected, why);
          });
      services_[made.slot] = map.get();
      made.map = std::move(map);
    }
  }
  maps_.swap(maps);
  for (auto& [name, gone] : maps) retire(std::move(gone.map), gone.slot);
}

std::uint32_t Services::new_slot() {
  std::uint32_t slot = 0;
  do slot = net::kServiceSlots + next_slot_++;
  while (services_.contains(slot));
  return slot;
}

void Services::retire(std::shared_ptr<void> what, std::uint32_t slot) {
  if (what) retired_.push_back({std::move(what), reactor_.now() + kGrace, slot});
}

std::shared_ptr<auth::Source> Services::source(conf::AuthBy by) const {
  return made_from_ && made_from_->auth.by == by ? source_ : nullptr;
}

std::shared_ptr<route::Map> Services::map(std::string_view name) const {
  const auto found = maps_.find(name);
  return found == maps_.end() ? nullptr : found->second.map;
}

void Services::woken() {
  if (passwd_) passwd_->take_answers();
  for (const auto& retired : retired_passwds_) {
    if (const auto source = retired.lock()) source->take_answers();
  }
}

void Services::addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  const auto found = services_.find(ticket.slot);
  if (found != services_.end()) found->second->addresses(addresses, ticket);
}

void Services::beat(Time now) {
  std::erase_if(retired_, [this, now](const Retired& retired) {
    if (now < retired.at_least || retired.what.use_count() > 1) return false;
    services_.erase(retired.slot);
    return true;
  });
  std::erase_if(retired_passwds_, [](const auto& retired) { return retired.expired(); });
}

void log_map_connection(observe::Log& log, std::string_view map, bool connected, const std::string& why) {
  log.event(connected ? observe::Level::Info : observe::Level::Warn,
            connected ? "map_connected" : "map_not_connected", {{"map", map}, {"detail", why}});
}

}  // namespace postern
