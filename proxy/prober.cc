#include "proxy/prober.h"

#include <algorithm>

#include "proxy/probe.h"

namespace postern {

Prober::Prober(net::Reactor& reactor, observe::Log& log)
    : reactor_(reactor), log_(log), random_(std::random_device{}()), tick_(*this) {}

Prober::~Prober() = default;

void Prober::use(std::shared_ptr<const Snapshot> snapshot) {
  targets_.clear();
  ended_.clear();
  snapshot_ = std::move(snapshot);
  std::set<std::pair<std::string, std::string>> present;
  std::vector<std::string> pools;
  for (std::size_t i = 0; i < snapshot_->pools.size(); ++i) {
    const StorePool& pool = snapshot_->pools[i];
    if (pool.protocols.empty()) continue;
    pools.push_back(pool.name);
    for (const pool::Backend& backend : pool.members->backends()) {
      targets_.push_back(
          {.pool = i, .backend = &backend, .number = static_cast<std::uint32_t>(targets_.size())});
      present.emplace(pool.name, backend.name());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    pools_ = std::move(pools);
    std::erase_if(answered_, [&present](const auto& one) { return !present.contains(one); });
  }
  reactor_.timers().start(tick_, reactor_.now());
}

void Prober::stop() {
  tick_.stop();
  targets_.clear();
  ended_.clear();
}

void Prober::look(Time now) {
  ended_.clear();
  for (Target& target : targets_) {
    if (target.probes.empty() && now >= target.backend->health().next_check()) begin(target);
  }
  Time next = kNever;
  for (const Target& target : targets_) {
    if (target.probes.empty()) next = std::min(next, target.backend->health().next_check());
  }
  reactor_.timers().start(tick_, next);
}

void Prober::begin(Target& target) {
  target.problem.clear();
  const StorePool& pool = snapshot_->pools[target.pool];
  for (const Protocol protocol : pool.protocols) {
    target.probes.push_back(std::make_unique<Probe>(
        reactor_, pool, *target.backend, protocol, *snapshot_->capabilities,
        net::AnswerTicket{target.number, ++generation_},
        [this, number = target.number, protocol](const std::string& problem) {
          finished(number, problem.empty() ? problem : std::string(name_of(protocol)) + ": " + problem);
        }));
  }
  // A probe may finish at once, and the last of them empties the list.
  std::vector<Probe*> starting;
  starting.reserve(target.probes.size());
  for (const auto& probe : target.probes) starting.push_back(probe.get());
  target.running = starting.size();
  for (Probe* probe : starting) probe->begin();
}

void Prober::finished(std::uint32_t number, std::string problem) {
  Target& target = targets_[number];
  if (target.problem.empty()) target.problem = std::move(problem);
  if (--target.running > 0) return;
  std::ranges::move(target.probes, std::back_inserter(ended_));
  target.probes.clear();
  reactor_.timers().start(tick_, reactor_.now());

  const StorePool& pool = snapshot_->pools[target.pool];
  const bool good = target.problem.empty();
  const double random = std::uniform_real_distribution<double>(0, 1)(random_);
  const pool::Change change = pool.members->report(*target.backend, good, reactor_.now(), random);
  if (change != pool::Change::None) {
    log_.event(change == pool::Change::Down ? observe::Level::Warn : observe::Level::Info, "backend_health",
               {{"pool", pool.name},
                {"backend", target.backend->name()},
                {"change", name_of(change)},
                {"detail", target.problem}});
  }
  const std::lock_guard lock(mutex_);
  if (good) {
    answered_.emplace(pool.name, target.backend->name());
  } else {
    answered_.erase({pool.name, target.backend->name()});
  }
}

void Prober::on_addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  if (ticket.slot >= targets_.size()) return;
  for (const auto& probe : targets_[ticket.slot].probes) {
    if (probe->ticket() == ticket) {
      probe->on_addresses(addresses);
      return;
    }
  }
}

std::vector<std::string> Prober::silent_pools() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> silent;
  for (const std::string& pool : pools_) {
    const bool answers =
        std::ranges::any_of(answered_, [&pool](const auto& one) { return one.first == pool; });
    if (!answers) silent.push_back(pool);
  }
  return silent;
}

}  // namespace postern
