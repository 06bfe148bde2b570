#include "tests/unit/net/pair.h"

#include <doctest/doctest.h>
#include <utility>

namespace postern::net {

void run_until(Loop& loop, const std::function<bool()>& done) {
  class Poll final : public Timer {
   public:
    Poll(Loop& loop, const std::function<bool()>& done)
        : loop_(loop), done_(done), end_(loop.now() + std::chrono::seconds(20)) {
      loop_.timers().start(*this, loop_.now());
    }

   private:
    void expired(Time now) override {
      if (done_() || now > end_) {
        loop_.stop();
      } else {
        loop_.timers().start(*this, now);
      }
    }
    Loop& loop_;
    const std::function<bool()>& done_;
    Time end_;
  };
  Poll poll(loop, done);
  loop.run();
  REQUIRE(done());
}

Pair::Pair(Loop& loop) {
  auto socket = ListeningSocket::open(*Endpoint::parse("127.0.0.1:0"));
  REQUIRE(socket.has_value());
  const Endpoint endpoint = socket->endpoint();
  Acceptor acceptor(loop.handle(), std::move(*socket),
                    {.accepted =
                         [this, &loop](int descriptor, const Endpoint&) {
                           there = std::make_unique<Socket>(loop.handle(), descriptor, &there_owner, 1);
                         },
                     .room = [] { return 1; },
                     .exhausted = [](int) {}});
  auto dialled = loop.dial(endpoint, &here_owner, 0);
  REQUIRE(dialled.has_value());
  here = std::move(*dialled);
  here->want(false, true);
  run_until(loop, [this] { return there && here_owner.writable; });
  REQUIRE(here->connect_error() == 0);
}

}  // namespace postern::net
