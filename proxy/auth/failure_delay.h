#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "parsers/address.h"
#include "parsers/fault.h"
#include "parsers/secret.h"
#include "proxy/auth/keyed_hash.h"
#include "proxy/time.h"

namespace postern::auth {

// How long the answer to refused credentials waits: `base` for the first failure of an address, doubled with
// each further one up to `max`, forgotten when the address has had none for max(30 s, 2 x max). A phone that
// repeats one wrong password counts once: user and password of the last ten failures that counted are
// remembered per address, as 64-bit hashes under a random key that never leaves this process. At most
// `capacity` addresses (limit_key) are remembered; whose last failure is the oldest goes first. Shared by all
// threads.
class FailureDelay {
 public:
  static constexpr std::size_t kRemembered = 10;
  static constexpr std::size_t kCapacity = 32768;  // 200 octets each: 6.5 MB

  FailureDelay(Duration base, Duration max, std::size_t capacity = kCapacity);
  FailureDelay(const FailureDelay&) = delete;

  void set(Duration base, Duration max);

  // Notes a refused login and answers how long the client waits for it. Zero, and nothing is noted, for every
  // fault but BadCredentials, NoRoute, NotAuthorized and PolicyRefused: what is temporary or ours is not the
  // client's guess.
  Duration failed(const Address& address, std::string_view user, const Secret& password, Fault fault,
                  Time now);

  // The same where nobody can tell what was guessed: it counts each time.
  Duration failed(const Address& address, Fault fault, Time now);

  // How long after its begin a login is refused that was nobody's guess, so that no client can ask a store or
  // a service at full speed that is coming back: base times 1 to 1.5, so that those who began together return
  // apart. `random` is from 0 to 1.
  Duration pace(double random) const;

  // What the next new failure of this address would cost.
  Duration next(const Address& address, Time now) const;

  std::size_t size() const;

 private:
  struct Entry {
    Address address;
    Time last;
    unsigned failures = 0;
    std::array<std::uint64_t, kRemembered> recent{};  // a ring; 0: free
    std::size_t place = 0;
  };
  using Entries = std::list<Entry>;  // the latest failure first

  Duration note(const Address& address, std::uint64_t guess, Fault fault, Time now);  // guess 0: not known
  Duration delay_of(unsigned failures) const;
  bool forgotten(const Entry& entry, Time now) const;
  void drop_oldest();

  const KeyedHash hash_;
  const std::size_t capacity_;

  mutable std::mutex mutex_;  // guards what follows
  Duration base_;
  Duration max_;
  Entries entries_;
  std::unordered_map<Address, Entries::iterator, KeyedHash> index_;
};

}  // namespace postern::auth
