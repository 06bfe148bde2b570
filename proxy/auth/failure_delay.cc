#include "proxy/auth/failure_delay.h"

#include <algorithm>

namespace postern::auth {

namespace {

bool is_a_guess(Fault fault) {
  return fault == Fault::BadCredentials || fault == Fault::NoRoute || fault == Fault::NotAuthorized ||
         fault == Fault::PolicyRefused;
}

constexpr unsigned kMostDoublings = 20;  // a million times the base

}  // namespace

FailureDelay::FailureDelay(Duration base, Duration max, std::size_t capacity)
    : capacity_(std::max<std::size_t>(capacity, 1)), base_(base), max_(max) {}

void FailureDelay::set(Duration base, Duration max) {
  std::lock_guard lock(mutex_);
  base_ = base;
  max_ = max;
}

Duration FailureDelay::failed(const Address& address, std::string_view user, const Secret& password,
                              Fault fault, Time now) {
  return note(address, std::max<std::uint64_t>(hash_(user, password), 1), fault, now);
}

Duration FailureDelay::failed(const Address& address, Fault fault, Time now) {
  return note(address, 0, fault, now);
}

Duration FailureDelay::note(const Address& address, std::uint64_t guess, Fault fault, Time now) {
  if (!is_a_guess(fault)) return Duration::zero();
  const Address key = limit_key(address);

  std::lock_guard lock(mutex_);
  while (!entries_.empty() && forgotten(entries_.back(), now)) drop_oldest();
  const auto known = index_.find(key);
  if (known == index_.end()) {
    if (entries_.size() >= capacity_) drop_oldest();
    entries_.push_front({.address = key, .last = now});
    index_.emplace(key, entries_.begin());
  } else if (guess != 0 && std::ranges::count(known->second->recent, guess) != 0) {
    // Not even the time is noted: a phone cannot keep its neighbours' failures from being forgotten.
    return delay_of(known->second->failures);
  } else {
    entries_.splice(entries_.begin(), entries_, known->second);
  }
  Entry& entry = entries_.front();
  entry.last = now;
  if (guess != 0) {
    entry.recent[entry.place] = guess;
    entry.place = (entry.place + 1) % kRemembered;
  }
  entry.failures = std::min(entry.failures + 1, kMostDoublings);
  return delay_of(entry.failures);
}

Duration FailureDelay::pace(double random) const {
  std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<Duration>(base_ * (1 + random / 2));
}

Duration FailureDelay::next(const Address& address, Time now) const {
  std::lock_guard lock(mutex_);
  const auto known = index_.find(limit_key(address));
  if (known == index_.end() || forgotten(*known->second, now)) return delay_of(1);
  return delay_of(known->second->failures + 1);
}

std::size_t FailureDelay::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

Duration FailureDelay::delay_of(unsigned failures) const {
  return std::min(base_ * (1U << std::min(failures - 1, kMostDoublings)), std::max(base_, max_));
}

bool FailureDelay::forgotten(const Entry& entry, Time now) const {
  return now - entry.last >= std::max<Duration>(std::chrono::seconds(30), 2 * max_);
}

void FailureDelay::drop_oldest() {
  index_.erase(entries_.back().address);
  entries_.pop_back();
}

}  // namespace postern::auth
