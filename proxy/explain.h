#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conf/loader.h"
#include "parsers/fault.h"
#include "proxy/running.h"
#include "proxy/snapshot.h"

// Where would this user go, and why: the answer of `postern route USER`. Changes nothing.

namespace postern {

struct RouteQuestion {
  std::string user;
  std::string listener;     // empty: the first of the configuration
  std::string server_name;  // what the client asks for by SNI
};

struct Explanation {
  struct Step {
    std::string what;  // "source", "route 1", "map homes"
    std::string says;  // one sentence
  };
  struct Candidate {  // in the order in which the backends would be tried
    std::string name;
    std::string host;
    std::uint16_t port = 0;
    unsigned weight = 0;
    unsigned priority = 0;
    double score = 0;  // of the hash: the highest of the best priority is the home
    bool usable = true;
    std::string state;  // "up", "down", "ejected", "weight 0"; "unknown" without a running proxy
    std::optional<unsigned> sessions;
    std::optional<unsigned> pending_logins;
  };

  RouteQuestion question;
  Protocol protocol = Protocol::Imap;
  std::vector<Step> steps;
  Fault fault = Fault::None;  // why the login would be refused before a backend is chosen
  std::string pool;
  std::string fixed_backend;  // a route, a map or the password file names it
  std::vector<Candidate> backends;
  std::string choice;    // the backend that a login would be given now; empty: none, or by_turn
  std::string how;       // pool::name_of(How): "home", "spill"; empty: none can be used
  bool by_turn = false;  // whose turn it is only the running proxy knows
  bool running = false;  // loads and health are those of the running proxy
};

// Asks maps (Redis too) and waits for them; a source of identity is asked nothing, for it would want the
// password. The error: there is no such listener.
std::expected<Explanation, std::string> explain(const conf::Config& config, const Snapshot& snapshot,
                                                const RouteQuestion& question,
                                                const std::optional<RunningBackends>& running);

std::string to_text(const Explanation& explanation);
std::string to_json(const Explanation& explanation);  // one object, one line

}  // namespace postern
