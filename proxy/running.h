#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "parsers/address.h"

namespace postern {

// What the running proxy tells of a backend at its admin port.
struct RunningBackend {
  unsigned sessions = 0;
  unsigned pending_logins = 0;
  bool up = false;
  bool ejected = false;
};
using RunningBackends = std::map<std::pair<std::string, std::string>, RunningBackend>;  // pool, backend

// Asks /metrics; waits for it, two seconds at the most. nullopt: nobody answers, or it is not Postern.
std::optional<RunningBackends> ask_running(const Endpoint& admin);

// The same of a page that was read.
std::optional<RunningBackends> read_backends(std::string_view metrics);

}  // namespace postern
