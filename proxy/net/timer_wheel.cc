#include "proxy/net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace postern::net {

void Timer::stop() {
  if (previous_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

TimerWheel::TimerWheel(Time now) : start_(now) {
  for (Head& head : slots_) head.previous_ = head.next_ = &head;
}

TimerWheel::~TimerWheel() {
  for (Head& head : slots_) {
    while (head.next_ != &head) head.next_->stop();
    head.previous_ = head.next_ = nullptr;
  }
}

std::uint64_t TimerWheel::tick_of(Time time) const {
  if (time <= start_) return 0;
  const auto width = std::chrono::duration_cast<Time::duration>(kWidth).count();
  return static_cast<std::uint64_t>(((time - start_).count() + width - 1) / width);
}

void TimerWheel::start(Timer& timer, Time deadline) {
  timer.stop();
  timer.deadline_ = deadline;
  if (deadline != kNever) insert(timer);
}

void TimerWheel::insert(Timer& timer) {
  const std::uint64_t tick = std::clamp(tick_of(timer.deadline_), current_ + 1, current_ + kSlots - 1);
  const std::size_t slot = tick % kSlots;
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  Timer& head = slots_[slot];
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
}

void TimerWheel::advance(Time now) {
  if (now < start_) return;
  const auto width = std::chrono::duration_cast<Time::duration>(kWidth).count();
  const auto reached = static_cast<std::uint64_t>((now - start_).count() / width);
  // One turn visits every slot once, however long ago the last one was.
  if (reached > current_ + kSlots) current_ = reached - kSlots;
  while (current_ < reached) {
    ++current_;
    const std::size_t slot = current_ % kSlots;
    occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    Timer& head = slots_[slot];
    // The slot's timers are moved to a ring of their own: what is started meanwhile goes to a later slot.
    Head due;
    due.previous_ = due.next_ = &due;
    if (head.next_ != &head) {
      due.next_ = head.next_;
      due.previous_ = head.previous_;
      due.next_->previous_ = due.previous_->next_ = &due;
      head.previous_ = head.next_ = &head;
    }
    while (due.next_ != &due) {
      Timer& timer = *due.next_;
      timer.stop();
      if (timer.deadline_ <= now) {
        timer.expired(now);
      } else {
        insert(timer);
      }
    }
    due.previous_ = due.next_ = nullptr;
  }
}

Time TimerWheel::next() const {
  const std::size_t first = (current_ + 1) % kSlots;
  // The word that `first` is in comes twice: its upper bits first, its lower bits last.
  for (std::size_t step = 0; step <= occupied_.size(); ++step) {
    const std::size_t word = (first / 64 + step) % occupied_.size();
    std::uint64_t bits = occupied_[word];
    if (step == 0) bits &= ~std::uint64_t{0} << (first % 64);
    if (step == occupied_.size()) bits &= ~(~std::uint64_t{0} << (first % 64));
    if (bits == 0) continue;
    const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    const std::size_t ahead = (slot + kSlots - first) % kSlots + 1;
    return start_ +
           std::chrono::duration_cast<Time::duration>(kWidth) * static_cast<std::int64_t>(current_ + ahead);
  }
  return kNever;
}

}  // namespace postern::net
