#include "proxy/probe.h"

#include <cstring>
#include <utility>

#include "parsers/proxy_header.h"

namespace postern {

Probe::Probe(net::Reactor& reactor, const StorePool& pool, const pool::Backend& backend, Protocol protocol,
             pool::Capabilities& capabilities, net::AnswerTicket ticket, Done done)
    : reactor_(reactor),
      pool_(pool),
      backend_(backend),
      protocol_(protocol),
      capabilities_(capabilities),
      ticket_(ticket),
      done_(std::move(done)) {}

void Probe::begin() {
  reactor_.timers().start(*this, reactor_.now() + pool_.members->health().timeout);
  if (const auto address = Address::parse(backend_.host())) {
    untried_ = {*address};
    dial_next({});
  } else {
    reactor_.resolve(backend_.host(), ticket_);
  }
}

void Probe::on_addresses(const std::vector<Address>& addresses) {
  if (over_) return;
  untried_.assign(addresses.begin(), addresses.end());
  dial_next("no address for " + backend_.host());
}

// A login, too, tries all addresses of a name; `problem` is that of the one before.
void Probe::dial_next(std::string problem) {
  while (!untried_.empty()) {
    const Address address = untried_.front();
    untried_.pop_front();
    auto transport = reactor_.dial({address, backend_.port(protocol_)}, this, 0);
    if (transport) {
      channel_.emplace(reactor_, std::move(*transport));
      channel_->await_connection();
      return;
    }
    problem = std::strerror(transport.error());
  }
  finish(std::move(problem));
}

void Probe::on_ready(int, bool readable, bool writable) {
  if (over_) return;
  if (!established_) {
    if (const int error = channel_->connect_error(); error != 0) {
      dial_next(std::strerror(error));
    } else {
      connected();
    }
    return;
  }
  if (writable && !channel_->flush()) return finish("closed");
  if (!readable) return;
  if (handshaking_) return handshaken(channel_->handshake());
  const Channel::Reading reading = channel_->read();
  const auto state = reading.state;
  talk(reading.bytes);
  if (!over_ && state != Channel::Reading::State::Open) {
    finish(std::string(name_of(dialogue_->closed().fault)));
  }
}

void Probe::connected() {
  established_ = true;
  if (pool_.members->health().check == conf::HealthCheck::Connect) return finish({});
  if (pool_.forward.proxy_v1) channel_->write_clear(write_proxy_v1({}));
  if (pool_.forward.proxy_v2) channel_->write_clear(write_proxy_v2({}));
  BackSetup setup;
  setup.probe = true;
  setup.starttls = pool_.tls == conf::StoreTls::StartTls;
  setup.secure = pool_.tls == conf::StoreTls::Implicit;
  dialogue_ = make_back(protocol_, std::move(setup));
  channel_->want_read(true);
  if (pool_.tls != conf::StoreTls::Implicit) return;
  handshaking_ = true;
  channel_->begin_tls(pool_.tls_context->connect(
      backend_.host(), backend_.host() + ":" + std::to_string(backend_.port(protocol_))));
  handshaken(channel_->handshake(std::string_view{}));
}

void Probe::handshaken(tls::Status status) {
  switch (status) {
    case tls::Status::NeedInput:
    case tls::Status::Signing:  // the front's alone
      return;
    case tls::Status::Closed:
      return finish("closed during the TLS handshake");
    case tls::Status::Failed:
      return finish(std::string(name_of(channel_->tls().failure())) + ": " + channel_->tls().failure_text());
    case tls::Status::Done:
      break;
  }
  handshaking_ = false;
  if (pool_.members->health().check == conf::HealthCheck::Tls) return finish({});
  if (pool_.tls == conf::StoreTls::StartTls) dialogue_->secured();
  talk(channel_->read_early().bytes);
}

void Probe::talk(std::string_view received) {
  if (!received.empty()) dialogue_->receive(received);
  for (;;) {
    BackEvent event = dialogue_->next();
    if (auto* send = std::get_if<SendSecret>(&event)) {
      if (!channel_->write(send->bytes.reveal())) return finish("closed");
    } else if (std::holds_alternative<StartTls>(event)) {
      handshaking_ = true;
      channel_->begin_tls(pool_.tls_context->connect(
          backend_.host(), backend_.host() + ":" + std::to_string(backend_.port(protocol_))));
      return handshaken(channel_->handshake(std::string_view{}));
    } else if (std::holds_alternative<Probed>(event)) {
      capabilities_.learn(backend_, protocol_, dialogue_->capabilities());
      return finish({});
    } else if (auto* refused = std::get_if<Refused>(&event)) {
      std::string problem(name_of(refused->refusal.fault));
      if (!refused->refusal.text.empty()) problem += ": " + refused->refusal.text;
      return finish(std::move(problem));
    } else {
      return;
    }
  }
}

void Probe::expired(Time) { finish(established_ ? "no answer in time" : "no answer to connect in time"); }

void Probe::finish(std::string problem) {
  over_ = true;
  stop();
  channel_.reset();
  done_(std::move(problem));
}

}  // namespace postern
