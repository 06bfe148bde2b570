#pragma once

#include <string>

#include "proxy/tls/state.h"

namespace postern::tls {

// BoringSSL's error queue belongs to the thread, not to the connection. It is empty before a call into the
// library and after it, so that no session reads another's error.
class ErrorQueue {
 public:
  ErrorQueue() { clear(); }
  ~ErrorQueue() { clear(); }
  ErrorQueue(const ErrorQueue&) = delete;
  ErrorQueue& operator=(const ErrorQueue&) = delete;

  // What the queue says about a call that failed. Empties it.
  Trouble take();

  static void clear();
};

}  // namespace postern::tls
