#include "proxy/pool/health.h"

#include <algorithm>

namespace postern::pool {

std::string_view name_of(Change change) {
  switch (change) {
    case Change::None:
      return "none";
    case Change::Up:
      return "up";
    case Change::Down:
      return "down";
    case Change::Ejected:
      return "ejected";
    case Change::Returned:
      return "returned";
  }
  return "";
}

bool speaks_against_backend(Fault fault) {
  // The store is to blame for these two as well, but no single backend is for the first, and no login for the
  // second: one crash would count as often as it had sessions.
  if (fault == Fault::NoBackend || fault == Fault::StoreReset) return false;
  return describe(fault).blame == Blame::Store;
}

bool seen_by_checks(Fault fault, bool credentials_sent, conf::HealthCheck check) {
  switch (fault) {
    case Fault::NameNotFound:
    case Fault::ConnectFailed:
    case Fault::ConnectTimeout:
      return true;
    case Fault::StoreTls:
      return check != conf::HealthCheck::Connect;
    default:
      return check == conf::HealthCheck::Greeting && !credentials_sent;
  }
}

Time first_check(std::size_t index, std::size_t count, const conf::Health& settings, Time now) {
  const auto interval = std::chrono::nanoseconds(settings.interval);
  return now + interval * static_cast<std::int64_t>(index) /
                   static_cast<std::int64_t>(std::max<std::size_t>(count, 1));
}

Change Health::report(bool good, const conf::Health& settings, Time now, double random) {
  std::lock_guard lock(mutex_);
  const std::chrono::duration<double, std::milli> jittered = settings.interval * (0.9 + 0.2 * random);
  next_check_ = now + std::chrono::duration_cast<Time::duration>(jittered);

  const bool returns = good && ejected(now) && !outlasts_checks_;
  if (returns) {
    ejected_until_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    begin_row();
  }
  const bool was_up = up();
  if (good == was_up) {
    streak_ = 0;
    return returns ? Change::Returned : Change::None;
  }
  if (++streak_ < std::max(was_up ? settings.fall : settings.rise, 1U)) return Change::None;
  streak_ = 0;
  begin_row();
  up_.store(good, std::memory_order_relaxed);
  return good ? Change::Up : Change::Down;
}

Time Health::next_check() const {
  std::lock_guard lock(mutex_);
  return next_check_;
}

void Health::schedule(Time first) {
  std::lock_guard lock(mutex_);
  next_check_ = first;
}

void Health::begin_row() {
  failures_.store(0, std::memory_order_relaxed);
  unseen_failure_.store(false, std::memory_order_relaxed);
}

void Health::note_success() { begin_row(); }

bool Health::note_failure(const conf::Health::Eject& settings, bool seen_by_checks) {
  if (!seen_by_checks) unseen_failure_.store(true, std::memory_order_relaxed);
  const unsigned failures = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  return settings.errors != 0 && failures >= settings.errors;
}

void Health::eject(const conf::Health::Eject& settings, Time now) {
  std::lock_guard lock(mutex_);
  if (ejections_ > 0 && settings.base > Duration::zero()) {
    const auto peace = std::max(now - ejected_until(), Time::duration::zero()) / settings.base;
    ejections_ -= static_cast<unsigned>(std::min<Time::rep>(ejections_, peace));
  }
  // The row does not grow beyond what `max` lets through, so that it can be worked off again.
  if (ejections_ == 0 || settings.base * ejections_ < settings.max) ++ejections_;
  const Duration length = std::min(settings.base * ejections_, settings.max);
  ejected_until_.store((now + length).time_since_epoch().count(), std::memory_order_relaxed);
  outlasts_checks_ = unseen_failure_.load(std::memory_order_relaxed);
  begin_row();
}

}  // namespace postern::pool
