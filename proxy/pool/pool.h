#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/model.h"
#include "parsers/fault.h"
#include "proxy/pool/backend.h"
#include "proxy/time.h"

namespace postern::pool {

// How a backend was chosen; for the log and the metrics.
enum class How : std::uint8_t {
  Home,   // the member that the hash gives the user
  Spill,  // another member of the same priority, because the home could not be used
  Least,  // fewest sessions per weight
  RoundRobin,
  Priority,  // a member of a worse priority, because no better one could be used
  Fixed,     // the route or the password file names it
  Panic,     // no member looked healthy, so that the checks were disregarded
};
inline constexpr std::size_t kHows = static_cast<std::size_t>(How::Panic) + 1;
std::string_view name_of(How how);

struct Choice {
  const Backend* backend = nullptr;  // lives as long as the Pool
  How how = How::Home;
};

// One row of the answer to "where would this user go, and why".
struct Ranked {
  const Backend* backend = nullptr;
  double score = 0;
  bool usable = false;  // up, not ejected, not full, weight above 0
};

// The backends that can serve the same users, and the choice among them. Shared by all threads: every member
// function may be called by any of them. Whoever holds a Backend* holds the Pool.
class Pool {
 public:
  // Members that `previous` has under the same name and host keep their state. Checks of new members are
  // spread over the first interval from `now` on.
  Pool(const conf::Pool& settings, const Pool* previous, Time now);
  Pool(const Pool&) = delete;

  // The backend for a login of this user that has already failed on `tried`. The error is Fault::NoBackend:
  // every member that may be used is down, ejected, full or tried. README.md has the order of decision.
  std::expected<Choice, Fault> pick(std::string_view user, std::span<const Backend* const> tried,
                                    Time now) const;

  // The backend of this name, whatever the balance; NoBackend when it is ejected, full, tried or unknown.
  std::expected<Choice, Fault> pick_fixed(std::string_view name, std::span<const Backend* const> tried,
                                          Time now) const;

  // The fate of a login on a member, classified: a success, or any fault (those that do not speak against
  // the backend are ignored). `credentials_sent`: the store had them when the login failed. Answers Ejected
  // when this one took it out, else None.
  Change note(const Backend& backend, Fault fault, Time now, bool credentials_sent = false) const;

  // The result of an active check; see Health::report.
  Change report(const Backend& backend, bool good, Time now, double random) const;

  // All members in the order in which the hash would try them for this user.
  std::vector<Ranked> rank(std::string_view user, Time now) const;

  const std::string& name() const { return name_; }
  conf::Balance balance() const { return balance_; }
  conf::Data data() const { return data_; }
  const conf::Health& health() const { return health_; }
  std::span<const Backend> backends() const { return backends_; }  // in the file's order
  const Backend* find(std::string_view name) const;                // nullptr: no such member

 private:
  using Tried = std::span<const Backend* const>;

  bool can_spare(const Backend& backend, Time now) const;
  std::expected<Choice, Fault> pick_single(const Backend* only, How how, Tried tried, Time now) const;
  const Backend* by_hash(std::string_view canonical_user, std::span<const Backend* const> candidates) const;
  const Backend* by_load(std::string_view canonical_user, std::span<const Backend* const> candidates) const;
  const Backend* by_turn(std::span<const Backend* const> candidates) const;

  std::string name_;
  conf::Balance balance_;
  conf::Data data_;
  conf::Health health_;
  std::vector<Backend> backends_;
  // The members with a weight above 0, by priority: the best first.
  std::vector<std::vector<const Backend*>> groups_;

  // Shared with the pool of the same name in the next configuration, as the states are.
  std::shared_ptr<std::mutex> mutex_;  // guards ejecting, and what follows
  mutable std::vector<double> turns_;  // round robin: how long each member has waited, in weights
};

}  // namespace postern::pool
