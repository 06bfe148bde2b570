#pragma once

#include <functional>

#include "proxy/net/reactor.h"

namespace postern {

// Gives memory back to the system after a crowd of sessions has left: malloc alone would keep what they used
// at their most until the process ends. Works in the loop of the process, beside the workers.
class Trimmer final : private net::Timer {
 public:
  // `sessions` tells how many there are; called in the reactor's loop.
  Trimmer(net::Reactor& reactor, std::function<unsigned()> sessions);
  Trimmer(const Trimmer&) = delete;

  // Asked at every look: have so many left since memory was last given back that it pays, and is it over?
  // While memory is given back, workers may have to wait for theirs.
  class Rule {
   public:
    static constexpr unsigned kCrowd = 500;
    bool due(unsigned sessions);

   private:
    unsigned most_ = 0;
    unsigned last_ = 0;
  };

 private:
  void expired(Time now) override;

  net::Reactor& reactor_;
  std::function<unsigned()> sessions_;
  Rule rule_;
};

}  // namespace postern
