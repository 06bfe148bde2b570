#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <openssl/ssl.h>
#include <string>
#include <unordered_map>
#include <utility>

namespace postern::tls {

// The newest session with one server. May be used from several threads.
class SessionSlot {
 public:
  void put(bssl::UniquePtr<SSL_SESSION> session);
  // A session to offer, or null. One that may be used only once (TLS 1.3, RFC 8446 §C.4) leaves the slot.
  bssl::UniquePtr<SSL_SESSION> take();

 private:
  std::mutex mutex_;
  bssl::UniquePtr<SSL_SESSION> session_;
};

// Slots by server; beyond kSlots the one that was asked for longest ago goes. A slot lives on with the
// streams that hold it. May be used from several threads.
class SessionCache {
 public:
  static constexpr std::size_t kSlots = 1024;

  std::shared_ptr<SessionSlot> slot(const std::string& key);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<SessionSlot>>;
  std::mutex mutex_;
  std::list<Entry> recent_;  // the most recent first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace postern::tls
