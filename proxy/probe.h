#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parsers/dialogue.h"
#include "proxy/channel.h"
#include "proxy/net/reactor.h"
#include "proxy/snapshot.h"

namespace postern {

// One health check of one backend in one protocol. Calls `done` once, with what went wrong (empty: nothing);
// the caller may destroy it later, not from there.
class Probe final : public net::TransportOwner, private net::Timer {
 public:
  using Done = std::function<void(std::string problem)>;

  Probe(net::Reactor& reactor, const StorePool& pool, const pool::Backend& backend, Protocol protocol,
        pool::Capabilities& capabilities, net::AnswerTicket ticket, Done done);

  void begin();
  void on_ready(int side, bool readable, bool writable) override;
  void on_addresses(const std::vector<Address>& addresses);
  net::AnswerTicket ticket() const { return ticket_; }

 private:
  void expired(Time now) override;
  void dial_next(std::string problem);
  void connected();
  void handshaken(tls::Status status);
  void talk(std::string_view received);
  void finish(std::string problem);

  net::Reactor& reactor_;
  const StorePool& pool_;
  const pool::Backend& backend_;
  Protocol protocol_;
  pool::Capabilities& capabilities_;
  net::AnswerTicket ticket_;
  Done done_;
  std::deque<Address> untried_;  // of the backend's name
  std::optional<Channel> channel_;
  std::unique_ptr<BackDialogue> dialogue_;
  bool established_ = false;
  bool handshaking_ = false;
  bool over_ = false;
};

}  // namespace postern
