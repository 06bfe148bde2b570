#include "proxy/link.h"

#include <cstring>
#include <utility>

namespace postern {

std::string Link::Target::to_string() const {
  if (!path.empty()) return path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Link::Link(net::Reactor& reactor, Owner& owner, Target target, Duration connect_time,
           net::AnswerTicket ticket)
    : reactor_(reactor), owner_(owner), target_(std::move(target)), ticket_(ticket) {
  reactor_.timers().start(*this, reactor_.now() + connect_time);
  if (!target_.path.empty()) {
    await(reactor_.dial_local(target_.path, this, 0));
  } else if (const auto address = Address::parse(target_.host)) {
    await(reactor_.dial({*address, target_.port}, this, 0));
  } else {
    reactor_.resolve(target_.host, ticket_);
  }
}

void Link::addresses(const std::vector<Address>& addresses) {
  if (channel_ || !failure_.empty()) return;
  if (addresses.empty()) return go_down("no address for " + target_.host);
  candidates_.assign(addresses.rbegin(), addresses.rend());
  try_next();
}

// There is a candidate.
void Link::try_next() {
  const Address next = candidates_.back();
  candidates_.pop_back();
  channel_.reset();
  await(reactor_.dial({next, target_.port}, this, 0));
}

void Link::await(std::expected<std::unique_ptr<net::Transport>, int> dialled) {
  if (dialled) {
    channel_.emplace(reactor_, std::move(*dialled));
    channel_->await_connection();
  } else if (!candidates_.empty()) {
    try_next();
  } else {
    fail_later(std::strerror(dialled.error()));
  }
}

void Link::on_ready(int, bool readable, bool writable) {
  if (!failure_.empty()) return;
  if (!established_) {
    const int error = channel_->connect_error();
    if (error == 0) return connected();
    return candidates_.empty() ? go_down(std::strerror(error)) : try_next();
  }
  if (writable && !channel_->flush()) return go_down("the connection broke");
  if (!readable) return;
  if (!up_) return secure(channel_->handshake());
  const Channel::Reading reading = channel_->read();
  if (reading.state == Channel::Reading::State::Open) {
    hand_over(reading.bytes);
    return;
  }
  const bool broken = reading.state == Channel::Reading::State::Failed;
  // The owner may destroy this link when it gets the last bytes: the end is told from the next turn on.
  fail_later(broken ? "the connection broke" : "the other side closed the connection");
  hand_over(reading.bytes);
}

// What a service says may hold a password. The link may be gone afterwards.
void Link::hand_over(std::string_view bytes) {
  if (!bytes.empty()) owner_.link_received(*this, bytes);
  wipe_scratch(bytes);
}

void Link::connected() {
  established_ = true;
  channel_->want_read(true);
  if (!target_.tls) return go_up();
  channel_->begin_tls(target_.tls->connect(target_.host, target_.to_string()));
  secure(channel_->handshake(std::string_view{}));
}

void Link::secure(tls::Status status) {
  switch (status) {
    case tls::Status::NeedInput:
    case tls::Status::Signing:  // the front's alone
      return;
    case tls::Status::Closed:
      return go_down("closed during the TLS handshake");
    case tls::Status::Failed:
      return go_down(std::string(name_of(channel_->tls().failure())) + ": " + channel_->tls().failure_text());
    case tls::Status::Done:
      return go_up();
  }
}

void Link::go_up() {
  up_ = true;
  stop();
  owner_.link_up(*this);
}

void Link::go_down(std::string why) {
  up_ = false;
  stop();
  channel_.reset();
  failure_ = std::move(why);
  owner_.link_down(*this, std::string(failure_));
}

void Link::fail_later(std::string why) {
  up_ = false;
  failure_ = std::move(why);
  if (channel_) channel_->want_read(false);
  reactor_.timers().start(*this, reactor_.now());
}

void Link::write(std::string_view bytes) {
  if (up_ && !channel_->write(bytes)) fail_later("the connection broke");
}

void Link::expired(Time) {
  if (failure_.empty()) failure_ = established_ ? "TLS handshake not finished in time" : "no answer in time";
  go_down(std::exchange(failure_, {}));
}

}  // namespace postern
