#pragma once

#include <atomic>
#include <mutex>
#include <string_view>

#include "conf/model.h"
#include "parsers/fault.h"
#include "proxy/time.h"

namespace postern::pool {

// What a report changed, for the log line and the counter of whoever reported.
enum class Change : std::uint8_t { None, Up, Down, Ejected, Returned };
std::string_view name_of(Change change);

// Whether a failed login speaks against the backend: connecting, TLS, a broken or a temporary answer do. A
// refusal of credentials never does, nor does a mistake of the configuration, nor our own shortage.
bool speaks_against_backend(Fault fault);

// Whether a check that goes as far as `check` would have failed where a login has. None sees what happens
// once the store has the credentials.
bool seen_by_checks(Fault fault, bool credentials_sent, conf::HealthCheck check);

// When the first check of member `index` of `count` is due: the members are spread evenly over one interval.
Time first_check(std::size_t index, std::size_t count, const conf::Health& settings, Time now);

// The health of one backend, from active checks (up, down) and from the fate of real logins (ejected). Starts
// up: a backend is used until `fall` checks in a row have failed. Shared by all threads; reading is
// lock-free. The settings are arguments because they may change with a reload while the state lives on.
class Health {
 public:
  bool up() const { return up_.load(std::memory_order_relaxed); }
  bool ejected(Time now) const { return now < ejected_until(); }
  bool usable(Time now) const { return up() && !ejected(now); }
  Time ejected_until() const { return Time(Time::duration(ejected_until_.load(std::memory_order_relaxed))); }

  // The result of an active check. `random` in [0, 1) moves the next check by up to 10 % of the interval. A
  // good check also ends an ejection if checks see every failure that led to it. Answers Up, Down, Returned
  // (from an ejection, while up) or None.
  Change report(bool good, const conf::Health& settings, Time now, double random);
  Time next_check() const;
  void schedule(Time first);

  // A login worked: the failures in a row start anew.
  void note_success();
  // A login failed in a way that speaks against the backend. True: the failures in a row have reached
  // settings.eject.errors, so that eject() is due if the pool can spare this member.
  bool note_failure(const conf::Health::Eject& settings, bool seen_by_checks);
  // Takes the backend out for base x ejections in a row, at most max. Each full `base` that passes in peace
  // after an ejection takes one off the row.
  void eject(const conf::Health::Eject& settings, Time now);

 private:
  void begin_row();

  std::atomic<bool> up_{true};
  std::atomic<Time::rep> ejected_until_{Time::min().time_since_epoch().count()};
  std::atomic<unsigned> failures_{0};        // of logins, in a row
  std::atomic<bool> unseen_failure_{false};  // checks do not see one of them

  mutable std::mutex mutex_;      // guards what follows
  unsigned streak_ = 0;           // of checks that speak against the present state
  unsigned ejections_ = 0;        // in a row
  bool outlasts_checks_ = false;  // the last of them
  Time next_check_ = Time::min();
};

}  // namespace postern::pool
