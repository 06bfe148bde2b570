#include "proxy/pool/pool.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "proxy/pool/rendezvous.h"

namespace postern::pool {

namespace {

using Candidates = std::vector<const Backend*>;

bool contains(std::span<const Backend* const> backends, const Backend* backend) {
  return std::ranges::find(backends, backend) != backends.end();
}

double score_of(std::string_view canonical_user, const Backend& backend) {
  return score(canonical_user, backend.seed(), backend.weight());
}

}  // namespace

std::string_view name_of(How how) {
  switch (how) {
    case How::Home:
      return "home";
    case How::Spill:
      return "spill";
    case How::Least:
      return "least";
    case How::RoundRobin:
      return "round_robin";
    case How::Priority:
      return "priority";
    case How::Fixed:
      return "fixed";
    case How::Panic:
      return "panic";
  }
  return "";
}

Pool::Pool(const conf::Pool& settings, const Pool* previous, Time now)
    : name_(settings.name),
      balance_(settings.balance),
      data_(settings.data),
      health_(settings.health),
      mutex_(previous ? previous->mutex_ : std::make_shared<std::mutex>()),
      turns_(settings.backends.size()) {
  backends_.reserve(settings.backends.size());
  for (const conf::Backend& member : settings.backends) {
    const Backend* before = previous ? previous->find(member.name) : nullptr;
    std::shared_ptr<BackendState> state;
    if (before && before->host() == member.host) {
      state = before->state();
    } else {
      state = std::make_shared<BackendState>();
      state->health.schedule(first_check(backends_.size(), settings.backends.size(), health_, now));
    }
    backends_.emplace_back(settings, member, std::move(state));
  }
  std::map<unsigned, Candidates> groups;
  for (const Backend& backend : backends_) {
    if (backend.weight() > 0) groups[backend.priority()].push_back(&backend);
  }
  for (auto& [priority, members] : groups) groups_.push_back(std::move(members));
}

std::expected<Choice, Fault> Pool::pick(std::string_view user, Tried tried, Time now) const {
  const std::string canonical = canonical_user(user);
  if (data_ == conf::Data::Partitioned) {
    Candidates everybody;
    for (const Candidates& group : groups_) everybody.insert(everybody.end(), group.begin(), group.end());
    return pick_single(by_hash(canonical, everybody), How::Home, tried, now);
  }
  const bool panic = std::ranges::none_of(backends_, [now](const Backend& backend) {
    return backend.weight() > 0 && backend.health().usable(now);
  });
  for (const Candidates& group : groups_) {
    Candidates candidates;
    std::ranges::copy_if(group, std::back_inserter(candidates), [&](const Backend* backend) {
      return !backend->full() && !contains(tried, backend) && (panic || backend->health().usable(now));
    });
    if (candidates.empty()) continue;
    Choice choice;
    switch (balance_) {
      case conf::Balance::Hash: {
        const Backend* home = by_hash(canonical, group);
        choice = contains(candidates, home) ? Choice{home, How::Home}
                                            : Choice{by_hash(canonical, candidates), How::Spill};
        break;
      }
      case conf::Balance::Least:
        choice = {by_load(canonical, candidates), How::Least};
        break;
      case conf::Balance::RoundRobin:
        choice = {by_turn(candidates), How::RoundRobin};
        break;
    }
    if (&group != &groups_.front()) choice.how = How::Priority;
    if (panic) choice.how = How::Panic;
    return choice;
  }
  return std::unexpected(Fault::NoBackend);
}

std::expected<Choice, Fault> Pool::pick_fixed(std::string_view name, Tried tried, Time now) const {
  return pick_single(find(name), How::Fixed, tried, now);
}

Change Pool::note(const Backend& backend, Fault fault, Time now, bool credentials_sent) const {
  BackendState& state = *backend.state();
  if (fault == Fault::None) {
    state.logins.fetch_add(1, std::memory_order_relaxed);
    state.health.note_success();
    return Change::None;
  }
  if (!speaks_against_backend(fault)) return Change::None;
  state.failures.fetch_add(1, std::memory_order_relaxed);
  // Logins that were under way when it was ejected do not count again.
  if (state.health.ejected(now)) return Change::None;
  // Users of partitioned data have no other place: a store that has restarted shall be theirs again at once.
  const bool seen =
      data_ == conf::Data::Partitioned || seen_by_checks(fault, credentials_sent, health_.check);
  if (!state.health.note_failure(health_.eject, seen)) return Change::None;
  std::lock_guard lock(*mutex_);
  if (state.health.ejected(now) || !can_spare(backend, now)) return Change::None;
  state.health.eject(health_.eject, now);
  state.ejections.fetch_add(1, std::memory_order_relaxed);
  return Change::Ejected;
}

Change Pool::report(const Backend& backend, bool good, Time now, double random) const {
  return backend.state()->health.report(good, health_, now, random);
}

std::vector<Ranked> Pool::rank(std::string_view user, Time now) const {
  const std::string canonical = canonical_user(user);
  std::vector<Ranked> ranked;
  for (const Backend& backend : backends_) {
    const bool usable = backend.weight() > 0 && !backend.full() && backend.health().usable(now);
    ranked.push_back({&backend, score_of(canonical, backend), usable});
  }
  const bool by_priority = data_ != conf::Data::Partitioned;
  std::ranges::sort(ranked, [by_priority](const Ranked& a, const Ranked& b) {
    if (by_priority && a.backend->priority() != b.backend->priority()) {
      return a.backend->priority() < b.backend->priority();
    }
    return std::tie(b.score, a.backend->name()) < std::tie(a.score, b.backend->name());
  });
  return ranked;
}

const Backend* Pool::find(std::string_view name) const {
  const auto found = std::ranges::find(backends_, name, &Backend::name);
  return found == backends_.end() ? nullptr : &*found;
}

// Ejections take at most `percent` of the members, but one may go unless it is 0; those that the checks have
// marked down anyway do not count. Where any member can serve the user, the last usable one stays: to eject
// it would only send its users to those that are known to be down.
bool Pool::can_spare(const Backend& backend, Time now) const {
  if (health_.eject.percent == 0) return false;
  const auto out = static_cast<std::size_t>(std::ranges::count_if(
      backends_, [now](const Backend& b) { return b.health().up() && b.health().ejected(now); }));
  if (out >= std::max<std::size_t>(1, backends_.size() * health_.eject.percent / 100)) return false;
  return data_ == conf::Data::Partitioned || std::ranges::any_of(backends_, [&](const Backend& other) {
           return other.state() != backend.state() && other.weight() > 0 && other.health().usable(now);
         });
}

// One backend or none: a check that marked it down may lie, and dialling it fails fast; an ejection tells of
// real logins, and spares their clients the wait.
std::expected<Choice, Fault> Pool::pick_single(const Backend* only, How how, Tried tried, Time now) const {
  if (!only || only->full() || only->health().ejected(now) || contains(tried, only)) {
    return std::unexpected(Fault::NoBackend);
  }
  return Choice{only, how};
}

const Backend* Pool::by_hash(std::string_view canonical_user,
                             std::span<const Backend* const> candidates) const {
  const Backend* winner = nullptr;
  double highest = 0;
  for (const Backend* candidate : candidates) {
    const double its = score_of(canonical_user, *candidate);
    if (its > highest) {
      winner = candidate;
      highest = its;
    }
  }
  return winner;
}

const Backend* Pool::by_load(std::string_view canonical_user,
                             std::span<const Backend* const> candidates) const {
  double lowest = 0;
  Candidates idlest;
  for (const Backend* candidate : candidates) {
    // What the load would be with this session: so an idle pool fills by weight too.
    const double load = (candidate->sessions() + 1.0) / candidate->weight();
    if (idlest.empty() || load < lowest) {
      lowest = load;
      idlest.clear();
    }
    if (load == lowest) idlest.push_back(candidate);
  }
  return by_hash(canonical_user, idlest);
}

// Smooth weighted round robin: everybody waits for its weight, who has waited longest takes its turn and pays
// what all have waited.
const Backend* Pool::by_turn(std::span<const Backend* const> candidates) const {
  std::lock_guard lock(*mutex_);
  const auto turn = [this](const Backend* backend) -> double& {
    return turns_[static_cast<std::size_t>(backend - backends_.data())];
  };
  const Backend* winner = nullptr;
  double total = 0;
  for (const Backend* candidate : candidates) {
    turn(candidate) += candidate->weight();
    total += candidate->weight();
    if (!winner || turn(candidate) > turn(winner)) winner = candidate;
  }
  turn(winner) -= total;
  return winner;
}

}  // namespace postern::pool
