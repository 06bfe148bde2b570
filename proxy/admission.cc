#include "proxy/admission.h"

#include <algorithm>

namespace postern {

bool Admission::enter(net::AnswerTicket ticket) {
  if (line_.empty() && left_ > Time::duration::zero()) return true;
  line_.push_back(ticket);
  return false;
}

void Admission::turn(Time::duration last) { left_ = std::max<Time::duration>(last / kShare, kLeast); }

std::optional<net::AnswerTicket> Admission::next() {
  if (line_.empty() || left_ <= Time::duration::zero()) return std::nullopt;
  const net::AnswerTicket ticket = line_.front();
  line_.pop_front();
  return ticket;
}

}  // namespace postern
