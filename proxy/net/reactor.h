#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "parsers/address.h"
#include "proxy/net/timer_wheel.h"
#include "proxy/net/transport.h"
#include "proxy/time.h"

namespace postern::net {

// Who waits for a late answer: a place in a table and which of its tenants asked. An answer for a tenant that
// has moved on is dropped, so that asking again, leaving and dying are the same thing: forgetting the ticket.
struct AnswerTicket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const AnswerTicket&) const = default;
};

// A part of a worker that lives beside its sessions and asks for names as they do: the client of an
// authentication service. Its tickets have slots from kServiceSlots on; the worker gives each service its
// own.
class Service {
 public:
  virtual void addresses(const std::vector<Address>& addresses, AnswerTicket ticket) = 0;

 protected:
  ~Service() = default;
};
inline constexpr std::uint32_t kServiceSlots = 0xffff0000;

// Memory that is used within one event and by nobody between events: one per loop, so that an idle session
// holds no buffer.
struct Scratch {
  static constexpr std::size_t kRead = std::size_t{128} * 1024;
  std::unique_ptr<char[]> input = std::make_unique<char[]>(kRead);           // as it came from the socket
  std::unique_ptr<char[]> plain = std::make_unique<char[]>(kRead + kSlack);  // after TLS
  std::string output;                                                        // as it goes to the socket
  static constexpr std::size_t kSlack = std::size_t{20} * 1024;
};

// What a session needs of the world below it: time, connections, names. The loop is one; a simulation
// another.
class Reactor {
 public:
  // Octets that wait for the sockets of all channels; kept by them.
  std::int64_t unwritten = 0;

  virtual Time now() const = 0;
  virtual TimerWheel& timers() = 0;
  virtual Scratch& scratch() = 0;

  // The error is an errno: no descriptor, no local port, no route.
  virtual std::expected<std::unique_ptr<Transport>, int> dial(const Endpoint& to, TransportOwner* owner,
                                                              int side) = 0;

  // The same to a UNIX socket by its path. ENAMETOOLONG when no socket can have it.
  virtual std::expected<std::unique_ptr<Transport>, int> dial_local(const std::string& path,
                                                                    TransportOwner* owner, int side) = 0;

  // Looks a host name up; the answer comes later, to whoever the reactor was made for. An empty answer: the
  // name has no address, or no name server answered.
  virtual void resolve(const std::string& host, AnswerTicket ticket) = 0;

  // Lets another thread do what would hold the loop for long. Its end is told later, to whoever the reactor
  // was made for; `work` must not need who asked for it, who may be gone before.
  virtual void offload(std::function<void()> work, AnswerTicket ticket) = 0;

 protected:
  ~Reactor() = default;
};

}  // namespace postern::net
