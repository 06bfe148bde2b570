#include "proxy/tls/session_cache.h"

namespace postern::tls {

void SessionSlot::put(bssl::UniquePtr<SSL_SESSION> session) {
  const std::lock_guard lock(mutex_);
  session_.swap(session);
}

bssl::UniquePtr<SSL_SESSION> SessionSlot::take() {
  const std::lock_guard lock(mutex_);
  if (session_ == nullptr || SSL_SESSION_should_be_single_use(session_.get())) return std::move(session_);
  return bssl::UpRef(session_);
}

std::shared_ptr<SessionSlot> SessionCache::slot(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->second;
  }
  if (recent_.size() == kSlots) {
    by_key_.erase(recent_.back().first);
    recent_.pop_back();
  }
  recent_.emplace_front(key, std::make_shared<SessionSlot>());
  by_key_.emplace(recent_.front().first, recent_.begin());
  return recent_.front().second;
}

}  // namespace postern::tls
