#include "bench/store_connection.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "proxy/net/socket.h"

namespace postern::bench {

StoreConnection::StoreConnection(Owner& owner, net::Loop& loop, int descriptor, Kind kind)
    : owner_(owner),
      channel_(loop, std::make_unique<net::Socket>(loop.handle(), descriptor, this, 0)),
      kind_(kind) {}

void StoreConnection::begin(tls::ServerContext* tls) {
  channel_.want_read(true);
  if (tls == nullptr) return greet();
  shaking_hands_ = true;
  channel_.begin_tls(tls->accept(kind_ == Kind::Pop3 ? Protocol::Pop3 : Protocol::Imap));
}

void StoreConnection::handshaken(tls::Status status) {
  if (status == tls::Status::NeedInput) return;
  if (status != tls::Status::Done) return owner_.bury(*this);
  shaking_hands_ = false;
  greet();
  take(channel_.read_early());
}

void StoreConnection::greet() {
  if (kind_ == Kind::Imap) {
    channel_.write("* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE AUTH=PLAIN] ready\r\n");
  } else if (kind_ == Kind::Pop3) {
    channel_.write("+OK ready\r\n");
  }
}

void StoreConnection::on_ready(int, bool readable, bool writable) {
  if (writable && !channel_.flush()) return owner_.bury(*this);
  if (writable && to_send_ > 0) send_message();
  if (!readable) return;
  if (shaking_hands_) return handshaken(channel_.handshake());
  take(channel_.read());
}

void StoreConnection::take(const Channel::Reading& reading) {
  const auto after = reading.state;
  take(reading.bytes);
  if (after != Channel::Reading::State::Open) owner_.bury(*this);
}

void StoreConnection::take(std::string_view bytes) {
  while (const auto text = lines_.next(bytes)) {
    line(std::string_view(*text).substr(0, text->size() - (text->ends_with("\r\n") ? 2 : 1)));
  }
}

void StoreConnection::line(std::string_view text) {
  if (kind_ == Kind::Imap) return imap(text);
  if (kind_ == Kind::Pop3) return pop3(text);
  auth_http(text);
}

void StoreConnection::auth_http(std::string_view text) {
  if (text.ends_with(" HTTP/1.1")) keeps_ = true;
  if (text.starts_with("Auth-Protocol: ")) asks_for_pop3_ = text.ends_with("pop3");
  if (!text.empty()) return;
  channel_.write(
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: " +
      std::to_string(owner_.port_of(asks_for_pop3_ ? Kind::Pop3 : Kind::Imap)) + "\r\n\r\n");
  if (!keeps_) channel_.finish();
}

void StoreConnection::imap(std::string_view text) {
  if (login_literals_ > 0) {  // the end of a literal; the next begins, or the login is complete
    if (--login_literals_ == 0) {
      channel_.write(login_tag_ + " OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n");
    } else {
      channel_.write("+ OK\r\n");
    }
    return;
  }
  if (!append_tag_.empty()) {  // the line that ends the message
    channel_.write(std::exchange(append_tag_, {}) + " OK appended\r\n");
    return;
  }
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return;
  tag_ = text.substr(0, space);
  const std::string_view command = text.substr(space + 1);
  const auto number_behind = [text](char mark) {
    std::size_t number = 0;
    const std::size_t at = text.rfind(mark);
    std::from_chars(text.data() + at + 1, text.data() + text.size(), number);
    return number;
  };
  if (command.starts_with("LOGIN") && text.ends_with("}")) {
    login_tag_ = tag_;
    login_literals_ = 2;
    channel_.write("+ OK\r\n");
  } else if (command.starts_with("LOGIN") || command.starts_with("AUTHENTICATE")) {
    channel_.write(tag_ + " OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n");
  } else if (command == "CAPABILITY") {
    channel_.write("* CAPABILITY IMAP4rev1 LITERAL+ ID IDLE UIDPLUS\r\n" + tag_ + " OK done\r\n");
  } else if (command.starts_with("FETCH ")) {
    std::size_t size = 0;
    std::from_chars(command.data() + 6, command.data() + command.size(), size);
    channel_.write("* 1 FETCH (BODY[] {" + std::to_string(size) + "}\r\n");
    to_send_ = size;
    after_message_ = ")\r\n" + tag_ + " OK done\r\n";
    send_message();
  } else if (command.starts_with("APPEND ")) {
    lines_.skip(number_behind('{'));
    channel_.write("+ OK\r\n");
    append_tag_ = tag_;
  } else if (command.starts_with("LOGOUT")) {
    channel_.write("* BYE\r\n" + tag_ + " OK\r\n");
    channel_.finish();
  } else {
    channel_.write(tag_ + " OK done\r\n");
  }
}

void StoreConnection::pop3(std::string_view text) {
  if (text.starts_with("RETR ")) {
    std::from_chars(text.data() + 5, text.data() + text.size(), to_send_);
    channel_.write("+OK\r\n");
    after_message_ = "\r\n.\r\n";
    send_message();
  } else if (text.starts_with("CAPA")) {
    channel_.write("+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n");
  } else if (text.starts_with("QUIT")) {
    channel_.write("+OK\r\n");
    channel_.finish();
  } else {
    channel_.write("+OK\r\n");
  }
}

void StoreConnection::send_message() {
  static const std::string kPiece(std::size_t{256} * 1024, 'm');
  while (to_send_ > 0 && channel_.unwritten() == 0) {
    const std::size_t size = std::min(to_send_, kPiece.size());
    to_send_ -= size;
    if (!channel_.write(std::string_view(kPiece).substr(0, size))) return;
  }
  if (to_send_ == 0) channel_.write(std::exchange(after_message_, {}));
}

}  // namespace postern::bench
