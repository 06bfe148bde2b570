#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "proxy/net/reactor.h"
#include "proxy/time.h"

namespace postern {

// How many newcomers may begin their TLS handshake in one turn of the loop, so that a crowd of them does not
// keep the sessions waiting that are at work. A handshake costs as much as a dozen round trips; a thousand
// that come at once would hold the loop for a tenth of a second. Who may not begin yet waits in line, first
// come, first served; nobody is turned away. Belongs to one worker's loop.
class Admission {
 public:
  // The handshakes of one turn may take a quarter of what the turn before took, so that a busy loop goes on
  // taking newcomers, and never less than this, which a session at work does not feel.
  static constexpr std::chrono::microseconds kLeast{500};
  static constexpr int kShare = 4;

  // True: begin now. False: the ticket stands in line, and next() will give it.
  bool enter(net::AnswerTicket ticket);
  // What a handshake that has begun took of this turn.
  void spent(Time::duration time) { left_ -= time; }

  // A new turn begins, after one that took so long.
  void turn(Time::duration last);
  // Who may begin now; nullopt: nobody waits, or this turn's share is used up.
  std::optional<net::AnswerTicket> next();

  std::size_t waiting() const { return line_.size(); }

 private:
  std::deque<net::AnswerTicket> line_;
  Time::duration left_ = kLeast;
};

}  // namespace postern
