#include "proxy/trimmer.h"

#include <algorithm>
#include <malloc.h>
#include <utility>

namespace postern {

namespace {

constexpr std::chrono::seconds kStep{5};

}  // namespace

Trimmer::Trimmer(net::Reactor& reactor, std::function<unsigned()> sessions)
    : reactor_(reactor), sessions_(std::move(sessions)) {
  reactor_.timers().start(*this, reactor_.now() + kStep);
}

void Trimmer::expired(Time now) {
  if (rule_.due(sessions_())) malloc_trim(0);
  reactor_.timers().start(*this, now + kStep);
}

bool Trimmer::Rule::due(unsigned sessions) {
  most_ = std::max(most_, sessions);
  const bool falling = sessions < std::exchange(last_, sessions);
  if (falling || most_ - sessions < std::max(kCrowd, most_ / 2)) return false;
  most_ = sessions;
  return true;
}

}  // namespace postern
