#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsers/protocol.h"
#include "proxy/pool/pool.h"

namespace postern::pool {

// What the stores offer before login, learnt from probes and logins, and what all of them share: a client is
// told of it before anybody knows which store it will get. Shared by all threads.
class Capabilities {
 public:
  // The pools whose members count from now on. What former members have told is forgotten.
  void set_pools(std::span<const Pool* const> pools);

  // What a member has told: IMAP words separated by spaces, POP3 CAPA lines separated by LF. Replaces what it
  // told before; ignored when it is no member of the pools.
  void learn(const Backend& backend, Protocol protocol, std::string_view list);

  // What all members that have told anything share, compared without regard to case, in the same form (a SASL
  // line for each mechanism), in the order and spelling of the first of them by pool and name. What Postern
  // decides itself, the front dialogue knows and leaves out. nullptr: nobody has told anything yet.
  std::shared_ptr<const std::string> shared(Protocol protocol) const;

 private:
  using Member = std::pair<std::string, std::string>;  // pool, backend
  struct Offers {
    std::map<Member, std::vector<std::string>> told;
    std::shared_ptr<const std::string> shared;
  };
  Offers& offers(Protocol protocol) { return offers_[static_cast<std::size_t>(protocol)]; }
  void update(Protocol protocol);

  mutable std::mutex mutex_;
  std::vector<Member> members_;  // sorted
  std::array<Offers, kProtocols> offers_;
};

}  // namespace postern::pool
