#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "proxy/net/reactor.h"
#include "proxy/time.h"

namespace postern {

// How much of one turn of the loop newcomers may have, so that a crowd of them does not keep the sessions
// waiting that are at work. A thousand that are due together would hold the loop for a tenth of a second. Who
// may not take its step yet waits in line; nobody is turned away. Belongs to one worker's loop.
class Admission {
 public:
  // Who is farther on goes first, so that a login that was begun ends soon; among equals, who came first.
  enum class Step : std::uint8_t {
    Hello,   // the first flight of the TLS handshake: key exchange and signature
    Finish,  // the second: the client's proof, and a ticket
    Talk,    // what the client says before it has logged in
    Dial,    // a connection to the store
    LogIn,   // what the store says to the login
  };
  static constexpr std::size_t kSteps = static_cast<std::size_t>(Step::LogIn) + 1;

  // The steps of one turn may take a quarter of what the turn before took, so that a busy loop goes on taking
  // newcomers, and never less than this, which a session at work does not feel.
  static constexpr std::chrono::microseconds kLeast{200};
  static constexpr int kShare = 4;

  // True: take the step now. False: the ticket stands in line, and next() will give it.
  bool enter(Step step, net::AnswerTicket ticket);
  // What a step took of this turn.
  void spent(Time::duration time) { left_ -= time; }

  // A new turn begins, after one that took so long.
  void turn(Time::duration last);
  // Whose turn it is; nullopt: nobody waits, or this turn's share is used up.
  std::optional<net::AnswerTicket> next();

  std::size_t waiting() const { return waiting_; }

  // Charges this turn with what passes while it lives, where a newcomer is served.
  class Charge {
   public:
    Charge(Admission& admission, const net::Reactor& reactor, bool newcomer)
        : admission_(admission), reactor_(reactor), began_(newcomer ? reactor.now() : kNever) {}
    Charge(const Charge&) = delete;
    ~Charge() {
      if (began_ != kNever) admission_.spent(reactor_.now() - began_);
    }

   private:
    Admission& admission_;
    const net::Reactor& reactor_;
    const Time began_;
  };

 private:
  std::array<std::deque<net::AnswerTicket>, kSteps> lines_;  // by Step
  std::size_t waiting_ = 0;                                  // in all lines
  Time::duration left_ = kLeast;
};

}  // namespace postern
