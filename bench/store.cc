#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/store_connection.h"
#include "proxy/net/listener.h"
#include "proxy/net/signals.h"

// A store that costs next to nothing, so that what is measured is the proxy. With --auth-port it is also the
// authentication server that nginx and Postern ask.

namespace postern::bench {
namespace {

struct Options {
  std::uint16_t imap = 0, pop3 = 0, imaps = 0, pop3s = 0, auth = 0;
  std::string chain, key;
};

class Store final : private StoreConnection::Owner {
 public:
  using Kind = StoreConnection::Kind;
  explicit Store(const Options& options) : options_(options) {
    if (!options.chain.empty()) {
      auto tls = tls::ServerContext::create({.certificates = {{options.chain, options.key}}});
      if (!tls) give_up(tls.error());
      tls_ = std::move(*tls);
    }
    listen(options.imap, Kind::Imap, nullptr);
    listen(options.pop3, Kind::Pop3, nullptr);
    listen(options.auth, Kind::AuthHttp, nullptr);
    listen(options.imaps, Kind::Imap, tls_.get());
    listen(options.pop3s, Kind::Pop3, tls_.get());
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

 private:
  [[noreturn]] static void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_store: %s\n", why.c_str());
    std::exit(2);
  }

  void bury(StoreConnection& connection) override {
    const auto found = connections_.find(&connection);
    if (found == connections_.end()) return;
    dead_.push_back(std::move(found->second));
    connections_.erase(found);
  }

  std::uint16_t port_of(Kind kind) const override {
    return kind == Kind::Pop3 ? options_.pop3 : options_.imap;
  }

  void listen(std::uint16_t port, Kind kind, tls::ServerContext* tls) {
    if (port == 0) return;
    auto socket = net::ListeningSocket::open({*Address::parse("127.0.0.1"), port});
    if (!socket) give_up(socket.error());
    acceptors_.push_back(std::make_unique<net::Acceptor>(
        loop_.handle(), std::move(*socket),
        net::Acceptor::Hooks{.accepted =
                                 [this, kind, tls](int descriptor, const Endpoint&) {
                                   auto one = std::make_unique<StoreConnection>(
                                       static_cast<StoreConnection::Owner&>(*this), loop_, descriptor, kind);
                                   StoreConnection& begun = *one;
                                   connections_.emplace(&begun, std::move(one));
                                   begun.begin(tls);
                                 },
                             .room = [] { return 64; },
                             .exhausted = [](int) {}}));
  }

  const Options options_;
  std::shared_ptr<tls::ServerContext> tls_;
  std::vector<std::unique_ptr<StoreConnection>> dead_;
  net::Loop loop_{{.end_of_turn =
                       [this](Time::duration) {
                         dead_.clear();
                         return false;
                       },
                   .woken = {},
                   .addresses = {}}};
  std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
  std::unordered_map<StoreConnection*, std::unique_ptr<StoreConnection>> connections_;
};

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  postern::bench::Options options;
  CLI::App app("A store that costs next to nothing");
  app.add_option("--imap-port", options.imap)->required();
  app.add_option("--pop3-port", options.pop3)->required();
  app.add_option("--auth-port", options.auth, "Answer nginx's auth_http here");
  auto* chain = app.add_option("--chain", options.chain, "PEM, for the ports with TLS");
  app.add_option("--key", options.key)->needs(chain);
  app.add_option("--imaps-port", options.imaps)->needs(chain);
  app.add_option("--pop3s-port", options.pop3s)->needs(chain);
  CLI11_PARSE(app, argc, argv);
  postern::bench::Store(options).run();
  return 0;
}
