#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/model.h"
#include "proxy/pool/pool.h"
#include "proxy/time.h"

// Pools and moments that the tests of this folder share.

namespace postern::pool {

using namespace std::chrono_literals;

inline const Time kStart{std::chrono::hours(1)};

inline conf::Backend member(std::string name, unsigned weight = 100, unsigned priority = 0) {
  std::string host = name + ".example";
  return {std::move(name), std::move(host), weight, priority};
}

// Members s1 to s<count>.
inline conf::Pool pool_of(unsigned count, conf::Balance balance = conf::Balance::Hash,
                          conf::Data data = conf::Data::Shared) {
  conf::Pool pool;
  pool.name = "store";
  pool.balance = balance;
  pool.data = data;
  for (unsigned i = 1; i <= count; ++i) pool.backends.push_back(member("s" + std::to_string(i)));
  return pool;
}

inline void mark(const Pool& pool, std::string_view name, bool up) {
  const Backend& backend = *pool.find(name);
  for (int i = 0; i < 10 && backend.health().up() != up; ++i) pool.report(backend, up, kStart, 0.5);
}

inline void eject(const Pool& pool, std::string_view name, Time now = kStart) {
  const Backend& backend = *pool.find(name);
  for (unsigned i = 0; i < pool.health().eject.errors; ++i) pool.note(backend, Fault::ConnectTimeout, now);
}

inline std::string name_of(const std::expected<Choice, Fault>& choice) {
  return choice ? choice->backend->name() : std::string(postern::name_of(choice.error()));
}

// "s1 home"; the fault's name when there is none.
inline std::string told(const std::expected<Choice, Fault>& choice) {
  return choice ? choice->backend->name() + " " + std::string(pool::name_of(choice->how)) : name_of(choice);
}

}  // namespace postern::pool
