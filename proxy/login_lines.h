#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "proxy/net/reactor.h"
#include "proxy/pool/backend.h"
#include "proxy/time.h"

namespace postern {

// Logins that wait for a backend which has as many under way as it may have (pool.limits.pending_logins):
// first come, first served. Belongs to one worker's loop; among workers chance decides, for a place that
// another worker's login gives back is seen by whoever looks first.
class LoginLines {
 public:
  // Who has gone may stay in its line: its ticket is nobody's then.
  void wait(const pool::Backend& backend, net::AnswerTicket ticket);

  // Calls those who may look again: as many of a line as its backend has places, or all where it can't be
  // used any more, within kAtOnce. Who is called may wait() again; for the same backend it keeps its place.
  // True: somebody was called.
  static constexpr std::size_t kAtOnce = 64;
  bool call(Time now, const std::function<void(net::AnswerTicket)>& look_again);

  bool empty() const { return lines_.empty(); }

 private:
  struct Place {
    net::AnswerTicket ticket;
    unsigned limit;  // of logins under way, as the session's configuration has it
  };
  struct Line {
    std::shared_ptr<pool::BackendState> backend;
    std::deque<Place> places;
  };

  std::vector<Line> lines_;                        // none is empty between calls
  const pool::BackendState* called_of_ = nullptr;  // whose line is called now
};

}  // namespace postern
