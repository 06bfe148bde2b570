#include "proxy/departures.h"

namespace postern {

bool Departures::enter(net::AnswerTicket ticket) {
  if (line_.empty() && left_ > 0) {
    --left_;
    return true;
  }
  line_.push_back(ticket);
  return false;
}

std::optional<net::AnswerTicket> Departures::next() {
  if (line_.empty() || left_ == 0) return std::nullopt;
  --left_;
  const net::AnswerTicket ticket = line_.front();
  line_.pop_front();
  return ticket;
}

}  // namespace postern
