#include "proxy/channel.h"

#include <span>
#include <utility>

#include "parsers/secret.h"

namespace postern {

Channel::Channel(net::Reactor& reactor, std::unique_ptr<net::Transport> transport)
    : reactor_(&reactor), transport_(std::move(transport)) {}

void Channel::begin_tls(tls::Stream stream) { tls_.emplace(std::move(stream)); }

tls::Status Channel::handshake() {
  net::Scratch& scratch = reactor_->scratch();
  const net::IoResult result = transport_->read({scratch.input.get(), net::Scratch::kRead});
  switch (result.kind) {
    case net::IoResult::Kind::Done:
      return handshake({scratch.input.get(), result.size});
    case net::IoResult::Kind::WouldBlock:
      return tls::Status::NeedInput;
    case net::IoResult::Kind::End:
      return tls::Status::Closed;
    case net::IoResult::Kind::Failed:
      error_ = result.error;
      return tls::Status::Closed;
  }
  return tls::Status::Closed;
}

tls::Status Channel::handshake(std::string_view received) {
  std::string& output = reactor_->scratch().output;
  output.clear();
  const tls::Status status = tls_->handshake(received, output);
  if (!write_clear(output)) return tls::Status::Closed;
  return status;
}

Channel::Reading Channel::read(bool last) {
  net::Scratch& scratch = reactor_->scratch();
  const std::span<char> room(scratch.input.get(), net::Scratch::kRead);
  net::IoResult result = transport_->read(room);
  std::size_t size = result.size;
  if (last && result.kind == net::IoResult::Kind::Done && size < room.size()) {
    result = transport_->read(room.subspan(size));
    size += result.size;
  }
  Reading reading{{room.data(), size}, Reading::State::Open};
  if (tls_ && size > 0) reading = decrypt(reading.bytes);
  if (reading.state != Reading::State::Open) return reading;
  switch (result.kind) {
    case net::IoResult::Kind::Done:
    case net::IoResult::Kind::WouldBlock:
      break;
    case net::IoResult::Kind::End:
      reading.state = tls_ ? Reading::State::Truncated : Reading::State::End;
      break;
    case net::IoResult::Kind::Failed:
      error_ = result.error;
      reading.state = Reading::State::Failed;
      break;
  }
  return reading;
}

Channel::Reading Channel::read_early() {
  if (!tls_) return {};
  return decrypt({});
}

Channel::Reading Channel::decrypt(std::string_view input) {
  net::Scratch& scratch = reactor_->scratch();
  scratch.output.clear();
  Reading reading;
  std::size_t size = 0;
  switch (tls_->decrypt(input, {scratch.plain.get(), net::Scratch::kRead + net::Scratch::kSlack}, size,
                        scratch.output)) {
    case tls::Status::Done:
    case tls::Status::NeedInput:
    case tls::Status::Signing:
      break;
    case tls::Status::Closed:
      reading.state = Reading::State::End;
      break;
    case tls::Status::Failed:
      reading.state = Reading::State::Failed;
      break;
  }
  if (!scratch.output.empty() && !write_clear(scratch.output)) reading.state = Reading::State::Failed;
  reading.bytes = {scratch.plain.get(), size};
  return reading;
}

bool Channel::drain() {
  const net::IoResult result = transport_->read({reactor_->scratch().input.get(), net::Scratch::kRead});
  return result.kind == net::IoResult::Kind::Done || result.kind == net::IoResult::Kind::WouldBlock;
}

bool Channel::write(std::string_view bytes) {
  if (bytes.empty()) return true;
  if (!tls_) return write_clear(bytes);
  std::string& output = reactor_->scratch().output;
  output.clear();
  if (tls_->encrypt(bytes, output) != tls::Status::Done) return false;
  return write_clear(output);
}

bool Channel::write_clear(std::string_view bytes) {
  if (bytes.empty()) return true;
  std::size_t sent = 0;
  if (unwritten() == 0) {
    const net::IoResult result = transport_->write(bytes);
    if (result.kind == net::IoResult::Kind::Failed) {
      error_ = result.error;
      return false;
    }
    sent = result.size;
  }
  if (sent < bytes.size()) {
    if (!pending_) pending_ = std::make_unique<Pending>(*reactor_, !tls_);
    pending_->add(bytes.substr(sent));
    update_interest();
  }
  return true;
}

Channel::Pending::~Pending() {
  reactor_.unwritten -= static_cast<std::int64_t>(left().size());
  if (clear_text_) wipe(bytes_.data(), bytes_.size());
}

// What was sent makes room for what comes, so that it does not grow with what has passed.
void Channel::Pending::add(std::string_view bytes) {
  if (sent_ > left().size()) {
    const std::size_t size = left().size();
    std::copy_n(bytes_.data() + sent_, size, bytes_.data());
    if (clear_text_) wipe(bytes_.data() + size, bytes_.size() - size);
    bytes_.resize(size);
    sent_ = 0;
  }
  const std::size_t size = bytes_.size() + bytes.size();
  if (clear_text_ && size > bytes_.capacity()) reserve_wiping(bytes_, 2 * size);
  bytes_.append(bytes);
  reactor_.unwritten += static_cast<std::int64_t>(bytes.size());
}

void Channel::Pending::sent(std::size_t size) {
  sent_ += size;
  reactor_.unwritten -= static_cast<std::int64_t>(size);
}

bool Channel::flush() {
  while (pending_) {
    const std::string_view left = pending_->left();
    const net::IoResult result = left.empty() ? net::IoResult{} : transport_->write(left);
    if (result.kind == net::IoResult::Kind::Failed) {
      error_ = result.error;
      return false;
    }
    pending_->sent(result.size);
    if (pending_->left().empty()) {
      pending_.reset();
      if (finishing_ && !finished_) {
        finished_ = true;
        transport_->finish_writing();
      }
    } else if (result.kind == net::IoResult::Kind::WouldBlock) {
      break;
    }
  }
  update_interest();
  return true;
}

bool Channel::finish(Ending ending, std::string_view last) {
  if (finishing_) return true;
  finishing_ = true;
  bool whole = true;
  if (tls_) {
    std::string& output = reactor_->scratch().output;
    output.clear();
    if (!last.empty()) whole = tls_->encrypt(last, output) == tls::Status::Done;
    if (ending == Ending::Whole) tls_->close_notify(output);
    last = output;
  }
  whole = whole && write_clear(last);
  if (unwritten() == 0) {
    finished_ = true;
    transport_->finish_writing();
  }
  return whole;
}

void Channel::want_read(bool wanted) {
  wants_read_ = wanted;
  update_interest();
}

void Channel::await_connection() {
  connecting_ = true;
  update_interest();
}

int Channel::connect_error() {
  connecting_ = false;
  return transport_->connect_error();
}

void Channel::update_interest() { transport_->want(wants_read_, connecting_ || unwritten() > 0); }

void wipe_scratch(std::string_view bytes) { wipe(const_cast<char*>(bytes.data()), bytes.size()); }

}  // namespace postern
