#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/line_cutter.h"
#include "bench/load_tls.h"
#include "parsers/protocol.h"
#include "proxy/channel.h"
#include "proxy/net/loop.h"

namespace postern::bench {

struct Target {
  Endpoint endpoint;
  Protocol protocol = Protocol::Imap;
  bool tls = true;
};

// What was counted, honestly: an operation that did not end as it must is a failure, never skipped.
struct Tally {
  std::uint64_t good = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t resumed = 0;          // TLS handshakes
  std::vector<Time::duration> times;  // of the good ones
  std::string first_failure;
};

// One client that logs in, and then does what its plan says.
class Client final : public net::TransportOwner {
 public:
  enum class Plan : std::uint8_t {
    Leave,     // log in, log out, close
    Stay,      // log in and be silent
    PingPong,  // NOOP, as soon as the last is answered
    Fetch,     // the whole message, again and again
    Append,    // a message to the store, again and again (IMAP)
  };

  struct Task {
    Plan plan = Plan::Leave;
    std::size_t message = 0;  // its size
    std::string user;
    std::string session_key;  // clients with the same one resume each other's TLS session
  };

  class Owner {
   public:
    virtual void logged_in(Client& client) = 0;
    virtual void operation_done(Client& client) = 0;  // one NOOP, FETCH or APPEND was answered
    virtual void closed(Client& client, bool good, const std::string& why) = 0;

   protected:
    ~Owner() = default;
  };

  Client(net::Loop& loop, LoadTls& tls, const Target& target, Task task, Owner& owner);

  // Times count from `due`, which may be past.
  void begin(Time due);
  void next_operation(Time due);
  void leave();
  Time began() const { return began_; }  // when connecting, or the last operation, was due
  std::uint64_t bytes() const { return bytes_; }
  const std::string& session_key() const { return task_.session_key; }
  std::optional<tls::Agreement> agreement() const { return agreement_; }  // once TLS stands

  void on_ready(int side, bool readable, bool writable) override;

 private:
  enum class State : std::uint8_t { Connect, Handshake, Greeting, Login, Ready, Waiting, Leaving, Over };
  void handshaken(tls::Status status);
  void take(std::string_view bytes);
  void line(std::string_view text);
  void send_login();
  void say(const std::string& text);
  void finish(bool good, const std::string& why);

  net::Loop& loop_;
  LoadTls& tls_;
  const Target& target_;
  Task task_;
  Owner& owner_;
  std::optional<Channel> channel_;
  std::optional<tls::Agreement> agreement_;
  State state_ = State::Connect;
  Time began_{};
  LineCutter lines_;
  std::uint64_t bytes_ = 0;
};

}  // namespace postern::bench
