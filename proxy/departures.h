#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "proxy/net/reactor.h"

namespace postern {

// How many ends of sessions one turn of the loop works through, so that a crowd that leaves does not keep
// waiting those that stay. To notice an end costs little; to tell the other side, to close and to write the
// log's line costs as much as several round trips. Who is beyond that stands in line, first come, first
// served. Belongs to one worker's loop.
class Departures {
 public:
  static constexpr unsigned kAtOnce = 8;

  // True: the end may be dealt with now. False: the ticket stands in line, and next() will give it.
  bool enter(net::AnswerTicket ticket);

  // A new turn begins.
  void turn() { left_ = kAtOnce; }
  // Whose turn it is; nullopt: nobody waits, or enough have left in this turn.
  std::optional<net::AnswerTicket> next();

  std::size_t waiting() const { return line_.size(); }

 private:
  std::deque<net::AnswerTicket> line_;
  unsigned left_ = kAtOnce;
};

}  // namespace postern
