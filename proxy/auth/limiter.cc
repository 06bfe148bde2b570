#include "proxy/auth/limiter.h"

#include <cstdlib>

namespace postern::auth {

Limiter::~Limiter() {
  if (!addresses_.empty() || !users_.empty()) std::abort();  // a ticket is still out, and would dangle
}

void Limiter::set_limits(Limits limits) {
  std::lock_guard lock(mutex_);
  limits_ = limits;
}

std::expected<Limiter::AddressTicket, Fault> Limiter::admit(const Address& address) {
  const auto reached = [](unsigned limit, unsigned count) { return limit != 0 && count >= limit; };
  std::lock_guard lock(mutex_);
  const auto [entry, fresh] = addresses_.try_emplace(limit_key(address));
  AddressCount& count = entry->second;
  // A fresh entry is below every limit, so that none is left without a session.
  if (reached(limits_.sessions_per_address, count.sessions) ||
      reached(limits_.prelogin_per_address, count.prelogin)) {
    return std::unexpected(Fault::AddressLimit);
  }
  ++count.sessions;
  ++count.prelogin;
  return AddressTicket(this, &*entry);
}

std::expected<Limiter::UserTicket, Fault> Limiter::enter(std::string_view user) {
  std::lock_guard lock(mutex_);
  auto entry = users_.find(user);
  if (entry == users_.end()) entry = users_.try_emplace(std::string(user), 0).first;
  if (limits_.sessions_per_user != 0 && entry->second >= limits_.sessions_per_user) {
    return std::unexpected(Fault::UserLimit);
  }
  ++entry->second;
  return UserTicket(this, &*entry);
}

Limiter::Size Limiter::size() const {
  std::lock_guard lock(mutex_);
  return {addresses_.size(), users_.size()};
}

Limiter::AddressTicket& Limiter::AddressTicket::operator=(AddressTicket&& other) noexcept {
  if (this == &other) return *this;
  release();
  limiter_ = std::exchange(other.limiter_, nullptr);
  entry_ = other.entry_;
  prelogin_ = other.prelogin_;
  return *this;
}

void Limiter::AddressTicket::logged_in() {
  if (!limiter_ || !std::exchange(prelogin_, false)) return;
  std::lock_guard lock(limiter_->mutex_);
  --entry_->second.prelogin;
}

void Limiter::AddressTicket::release() {
  Limiter* limiter = std::exchange(limiter_, nullptr);
  if (!limiter) return;
  std::lock_guard lock(limiter->mutex_);
  AddressCount& count = entry_->second;
  if (prelogin_) --count.prelogin;
  if (--count.sessions == 0) limiter->addresses_.erase(limiter->addresses_.find(entry_->first));
}

Limiter::UserTicket& Limiter::UserTicket::operator=(UserTicket&& other) noexcept {
  if (this == &other) return *this;
  release();
  limiter_ = std::exchange(other.limiter_, nullptr);
  entry_ = other.entry_;
  return *this;
}

void Limiter::UserTicket::release() {
  Limiter* limiter = std::exchange(limiter_, nullptr);
  if (!limiter) return;
  std::lock_guard lock(limiter->mutex_);
  if (--entry_->second == 0) limiter->users_.erase(limiter->users_.find(entry_->first));
}

}  // namespace postern::auth
