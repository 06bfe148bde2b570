#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/channel.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/signals.h"
#include "proxy/net/socket.h"

// A store that costs next to nothing, so that what is measured is the proxy: every login is good, FETCH n and
// RETR n give a message of n bytes, APPEND takes one. With --auth-port it is also the authentication server
// that nginx asks, and names this store to it.

namespace postern::bench {
namespace {

class Store;

class Connection final : public net::TransportOwner {
 public:
  enum class Kind : std::uint8_t { Imap, Pop3, AuthHttp };
  Connection(Store& store, net::Loop& loop, int descriptor, Kind kind);
  void begin();
  void on_ready(int side, bool readable, bool writable) override;

 private:
  void take(std::string_view bytes);
  void line(std::string_view text);
  void imap(std::string_view text);
  void pop3(std::string_view text);
  void send_message();

  Store& store_;
  Channel channel_;
  Kind kind_;
  std::string partial_;
  std::size_t literal_ = 0;  // of an APPEND, still to come
  std::size_t to_send_ = 0;  // of a message, still to go
  std::string after_message_;
  std::string tag_;
  std::string append_tag_;  // of an APPEND whose message is coming
  std::string login_tag_;   // LOGIN with literals, as nginx sends it
  int login_literals_ = 0;
};

class Store {
 public:
  Store(std::uint16_t imap, std::uint16_t pop3, std::uint16_t auth) : imap_(imap), pop3_(pop3) {
    listen(imap, Connection::Kind::Imap);
    listen(pop3, Connection::Kind::Pop3);
    if (auth != 0) listen(auth, Connection::Kind::AuthHttp);
  }
  void run() {
    net::Signals signals(loop_.handle(), {SIGTERM, SIGINT}, [this](int) { loop_.stop(); });
    std::printf("ready\n");
    std::fflush(stdout);
    loop_.run();
    acceptors_.clear();
    connections_.clear();
    dead_.clear();
  }
  void bury(Connection* connection) {
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return;
    dead_.push_back(std::move(found->second));
    connections_.erase(found);
  }
  std::uint16_t imap_port() const { return imap_; }
  std::uint16_t pop3_port() const { return pop3_; }

 private:
  void listen(std::uint16_t port, Connection::Kind kind) {
    auto socket = net::ListeningSocket::open({*Address::parse("127.0.0.1"), port});
    if (!socket) {
      std::fprintf(stderr, "%s\n", socket.error().c_str());
      std::exit(2);
    }
    acceptors_.push_back(std::make_unique<net::Acceptor>(
        loop_.handle(), std::move(*socket),
        net::Acceptor::Hooks{.accepted =
                                 [this, kind](int descriptor, const Endpoint&) {
                                   auto one = std::make_unique<Connection>(*this, loop_, descriptor, kind);
                                   Connection* raw = one.get();
                                   connections_.emplace(raw, std::move(one));
                                   raw->begin();
                                 },
                             .may_accept = [] { return true; },
                             .exhausted = [](int) {}}));
  }

  std::vector<std::unique_ptr<Connection>> dead_;
  net::Loop loop_{{.end_of_turn = [this] { dead_.clear(); }, .woken = {}, .addresses = {}}};
  std::uint16_t imap_, pop3_;
  std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
};

Connection::Connection(Store& store, net::Loop& loop, int descriptor, Kind kind)
    : store_(store),
      channel_(loop, std::make_unique<net::Socket>(loop.handle(), descriptor, this, 0)),
      kind_(kind) {}

void Connection::begin() {
  if (kind_ == Kind::Imap) {
    channel_.write("* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE AUTH=PLAIN] ready\r\n");
  } else if (kind_ == Kind::Pop3) {
    channel_.write("+OK ready\r\n");
  }
  channel_.want_read(true);
}

void Connection::on_ready(int, bool readable, bool writable) {
  if (writable && !channel_.flush()) return store_.bury(this);
  if (writable && to_send_ > 0) send_message();
  if (!readable) return;
  const Channel::Reading reading = channel_.read();
  const auto after = reading.state;
  take(reading.bytes);
  if (after != Channel::Reading::State::Open) store_.bury(this);
}

void Connection::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (literal_ > 0) {
      const std::size_t skipped = std::min(literal_, bytes.size());
      literal_ -= skipped;
      bytes.remove_prefix(skipped);
      continue;
    }
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      partial_.append(bytes);
      return;
    }
    partial_.append(bytes.substr(0, end + 1));
    bytes.remove_prefix(end + 1);
    const std::string text = std::exchange(partial_, {});
    line(std::string_view(text).substr(0, text.size() - (text.ends_with("\r\n") ? 2 : 1)));
  }
}

void Connection::line(std::string_view text) {
  if (kind_ == Kind::Imap) return imap(text);
  if (kind_ == Kind::Pop3) return pop3(text);
  if (text.starts_with("Auth-Protocol: pop3")) tag_ = "pop3";
  if (!text.empty()) return;
  const std::uint16_t port = tag_ == "pop3" ? store_.pop3_port() : store_.imap_port();
  channel_.write("HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: " +
                 std::to_string(port) + "\r\n\r\n");
  channel_.finish();
}

void Connection::imap(std::string_view text) {
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
  } else if (command.starts_with("FETCH ")) {
    std::size_t size = 0;
    std::from_chars(command.data() + 6, command.data() + command.size(), size);
    channel_.write("* 1 FETCH (BODY[] {" + std::to_string(size) + "}\r\n");
    to_send_ = size;
    after_message_ = ")\r\n" + tag_ + " OK done\r\n";
    send_message();
  } else if (command.starts_with("APPEND ")) {
    literal_ = number_behind('{');
    channel_.write("+ OK\r\n");
    append_tag_ = tag_;
  } else if (command.starts_with("LOGOUT")) {
    channel_.write("* BYE\r\n" + tag_ + " OK\r\n");
    channel_.finish();
  } else {
    channel_.write(tag_ + " OK done\r\n");
  }
}

void Connection::pop3(std::string_view text) {
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

void Connection::send_message() {
  static const std::string kPiece(std::size_t{256} * 1024, 'm');
  while (to_send_ > 0 && channel_.unwritten() == 0) {
    const std::size_t size = std::min(to_send_, kPiece.size());
    to_send_ -= size;
    if (!channel_.write(std::string_view(kPiece).substr(0, size))) return;
  }
  if (to_send_ == 0) channel_.write(std::exchange(after_message_, {}));
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  std::uint16_t imap = 0, pop3 = 0, auth = 0;
  CLI::App app("A store that costs next to nothing");
  app.add_option("--imap-port", imap)->required();
  app.add_option("--pop3-port", pop3)->required();
  app.add_option("--auth-port", auth, "Answer nginx's auth_http here");
  CLI11_PARSE(app, argc, argv);
  postern::bench::Store(imap, pop3, auth).run();
  return 0;
}
