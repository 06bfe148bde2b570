#include "proxy/login_lines.h"

#include <algorithm>

namespace postern {

void LoginLines::wait(const pool::Backend& backend, net::AnswerTicket ticket) {
  auto line = std::ranges::find(lines_, backend.state(), &Line::backend);
  if (line == lines_.end()) line = lines_.insert(lines_.end(), {backend.state(), {}});
  const Place place{ticket, backend.pending_login_limit()};
  if (called_of_ == backend.state().get()) {
    line->places.push_front(place);
  } else {
    line->places.push_back(place);
  }
}

bool LoginLines::call(Time now, const std::function<void(net::AnswerTicket)>& look_again) {
  std::size_t left = kAtOnce;
  // By number: whoever is called may open a line.
  for (std::size_t number = 0; number < lines_.size() && left > 0; ++number) {
    const std::shared_ptr<pool::BackendState> backend = lines_[number].backend;
    called_of_ = backend.get();
    while (left > 0 && !lines_[number].places.empty()) {
      const Place place = lines_[number].places.front();
      const bool has_room =
          place.limit == 0 || backend->pending_logins.load(std::memory_order_relaxed) < place.limit;
      if (!has_room && backend->health.usable(now)) break;
      lines_[number].places.pop_front();
      --left;
      look_again(place.ticket);
      const auto& places = lines_[number].places;
      if (!places.empty() && places.front().ticket == place.ticket) break;  // another worker was faster
    }
  }
  called_of_ = nullptr;
  std::erase_if(lines_, [](const Line& line) { return line.places.empty(); });
  return left < kAtOnce;
}

}  // namespace postern
