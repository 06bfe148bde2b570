#include "bench/load_client.h"

#include <charconv>
#include <utility>

namespace postern::bench {

Client::Client(net::Loop& loop, LoadTls& tls, const Target& target, Task task, Owner& owner)
    : loop_(loop), tls_(tls), target_(target), task_(std::move(task)), owner_(owner) {}

void Client::begin(Time due) {
  began_ = due;
  state_ = State::Connect;
  auto transport = loop_.dial(target_.endpoint, this, 0);
  if (!transport) return finish(false, "connect");
  channel_.emplace(loop_, std::move(*transport));
  channel_->await_connection();
}

void Client::on_ready(int, bool readable, bool writable) {
  if (state_ == State::Over) return;
  if (state_ == State::Connect) {
    if (channel_->connect_error() != 0) return finish(false, "connect");
    channel_->want_read(true);
    if (!target_.tls) {
      state_ = State::Greeting;
      return;
    }
    state_ = State::Handshake;
    channel_->begin_tls(tls_.connect(task_.session_key));
    return handshaken(channel_->handshake(std::string_view{}));
  }
  if (writable && !channel_->flush()) return finish(false, "write");
  if (!readable) return;
  if (state_ == State::Handshake) return handshaken(channel_->handshake());
  const Channel::Reading reading = channel_->read();
  const auto after = reading.state;
  take(reading.bytes);
  if (state_ != State::Over && after != Channel::Reading::State::Open) finish(false, "closed by the server");
}

void Client::handshaken(tls::Status status) {
  if (status == tls::Status::NeedInput) return;
  if (status != tls::Status::Done) return finish(false, "handshake");
  agreement_ = channel_->tls().agreement();
  state_ = State::Greeting;
  take(channel_->read_early().bytes);
}

void Client::take(std::string_view bytes) {
  bytes_ += bytes.size();
  while (state_ != State::Over) {
    const auto text = lines_.next(bytes);
    if (!text) return;
    line(*text);
  }
}

void Client::line(std::string_view text) {
  const bool imap = target_.protocol == Protocol::Imap;
  switch (state_) {
    case State::Greeting:
      if (!text.starts_with(imap ? "* OK" : "+OK")) return finish(false, std::string(text));
      state_ = State::Login;
      say(imap ? "a LOGIN " + task_.user + " secret\r\n" : "USER " + task_.user + "\r\n");
      return;
    case State::Login:
      if (imap && text.starts_with("* ")) return;
      if (!text.starts_with(imap ? "a OK" : "+OK")) return finish(false, std::string(text));
      if (!imap && !task_.user.empty()) {
        task_.user.clear();
        say("PASS secret\r\n");
        return;
      }
      state_ = State::Ready;
      owner_.logged_in(*this);
      return;
    case State::Waiting:
      if (imap && text.starts_with("+")) {  // the store waits for the message
        say(std::string(task_.message, 'm') + "\r\n");
        return;
      }
      if (text.size() > 3 && text.ends_with("}\r\n")) {
        const std::size_t open = text.rfind('{');
        std::size_t literal = 0;
        std::from_chars(text.data() + open + 1, text.data() + text.size() - 3, literal);
        lines_.skip(literal);
        return;
      }
      if (!imap && task_.plan == Plan::Fetch && text.starts_with("+OK")) {
        lines_.skip(task_.message);
        return;
      }
      if (!imap && task_.plan == Plan::Fetch && text != ".\r\n") return;
      if (imap && (text.starts_with("* ") || text.starts_with(")"))) return;
      if (imap && !text.starts_with("b OK")) return finish(false, std::string(text));
      state_ = State::Ready;
      owner_.operation_done(*this);
      return;
    case State::Leaving:
      if (imap && text.starts_with("* ")) return;
      return finish(text.starts_with(imap ? "z OK" : "+OK"), std::string(text));
    default:
      return;
  }
}

void Client::next_operation(Time due) {
  state_ = State::Waiting;
  began_ = due;
  const bool imap = target_.protocol == Protocol::Imap;
  switch (task_.plan) {
    case Plan::Fetch:
      say(imap ? "b FETCH " + std::to_string(task_.message) + " BODY[]\r\n"
               : "RETR " + std::to_string(task_.message) + "\r\n");
      return;
    case Plan::Append:
      say("b APPEND INBOX {" + std::to_string(task_.message) + "}\r\n");
      return;
    default:
      say(imap ? "b NOOP\r\n" : "NOOP\r\n");
      return;
  }
}

void Client::leave() {
  state_ = State::Leaving;
  say(target_.protocol == Protocol::Imap ? "z LOGOUT\r\n" : "QUIT\r\n");
}

void Client::say(const std::string& text) {
  if (!channel_->write(text)) finish(false, "write");
}

void Client::finish(bool good, const std::string& why) {
  state_ = State::Over;
  owner_.closed(*this, good, why);
}

}  // namespace postern::bench
