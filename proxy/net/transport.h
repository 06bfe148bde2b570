#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "parsers/address.h"

namespace postern::net {

// What one read or write did. `error` is an errno value, set with Failed alone.
struct IoResult {
  enum class Kind : std::uint8_t {
    Done,        // `size` bytes moved, at least one
    WouldBlock,  // nothing now; an event will tell
    End,         // read only: the peer has finished its direction
    Failed,      // the connection is broken
  };
  Kind kind = Kind::WouldBlock;
  std::size_t size = 0;
  int error = 0;
};

class Transport;

// Who is told that a transport can be used. `side` is the number that the owner gave it.
class TransportOwner {
 public:
  virtual void on_ready(int side, bool readable, bool writable) = 0;

 protected:
  ~TransportOwner() = default;
};

// One connected or connecting stream of bytes. Destroying it closes it; no event comes after that. A socket
// is one; a simulation has its own.
class Transport {
 public:
  virtual ~Transport() = default;

  // Which events the owner wants from now on. A broken connection is told as both, whatever was asked for.
  virtual void want(bool readable, bool writable) = 0;

  virtual IoResult read(std::span<char> to) = 0;
  virtual IoResult write(std::string_view bytes) = 0;

  // A dialled transport is writable once when the connection stands or has failed: 0, or the errno.
  virtual int connect_error() = 0;

  // No more bytes from us (FIN). Reading goes on.
  virtual void finish_writing() = 0;

  // Closing shall tell the peer that the stream was cut (RST), instead of ending it in good order.
  virtual void break_off() = 0;

  virtual Endpoint local() const = 0;
};

}  // namespace postern::net
