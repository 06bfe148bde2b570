#include <cerrno>
#include <doctest/doctest.h>
#include <string>
#include <utility>

#include "tests/unit/net/pair.h"

// libuv stops watching a descriptor that has an error, after telling it once. A client that sent half a
// command and then reset had its bytes read at that one event; the reset behind them was never seen, and the
// session stayed.

namespace postern::net {

TEST_CASE("bytes that came before a reset are told, and then the reset") {
  Loop loop({});
  Pair pair(loop);
  pair.here->write("half a command");
  pair.here->break_off();
  pair.here.reset();
  pair.there->want(true, false);
  std::string bytes;
  int error = 0;
  run_until(loop, [&pair, &bytes, &error] {
    if (error == 0 && std::exchange(pair.there_owner.readable, false)) {
      char byte;
      const IoResult result = pair.there->read({&byte, 1});
      bytes.append(&byte, result.size);
      error = result.error;
    }
    return error != 0;
  });
  CHECK(bytes == "half a command");
  CHECK(error == ECONNRESET);
}

}  // namespace postern::net
