#include <doctest/doctest.h>
#include <thread>

#include "proxy/net/loop.h"

// A worker's loop is stopped by the thread that ends the proxy. The flag was a plain bool: ThreadSanitizer
// says so.

namespace postern::net {

TEST_CASE("a loop can be stopped by another thread") {
  Loop loop({});
  std::thread other([&loop] { loop.stop(); });
  loop.run();
  other.join();
}

}  // namespace postern::net
