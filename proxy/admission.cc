#include "proxy/admission.h"

#include <algorithm>
#include <ranges>

namespace postern {

bool Admission::enter(Step step, net::AnswerTicket ticket) {
  const auto line = lines_.begin() + static_cast<std::ptrdiff_t>(step);
  const bool first = std::all_of(line, lines_.end(), [](const auto& other) { return other.empty(); });
  if (first && left_ > Time::duration::zero()) return true;
  line->push_back(ticket);
  ++waiting_;
  return false;
}

void Admission::turn(Time::duration last) { left_ = std::max<Time::duration>(last / kShare, kLeast); }

std::optional<net::AnswerTicket> Admission::next() {
  if (waiting_ == 0 || left_ <= Time::duration::zero()) return std::nullopt;
  for (auto& line : std::views::reverse(lines_)) {
    if (line.empty()) continue;
    const net::AnswerTicket ticket = line.front();
    line.pop_front();
    --waiting_;
    return ticket;
  }
  return std::nullopt;
}

}  // namespace postern
