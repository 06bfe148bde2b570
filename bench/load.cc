#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <list>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "bench/load_client.h"

// Drives a proxy or a store: `logins` as many as it can with so many at once, `idle` sessions that stay until
// standard input ends, `noop` round trips, `fetch` and `append` of messages. Prints one line of JSON.

namespace postern::bench {
namespace {

struct Options {
  std::string mode;
  std::string endpoint;
  std::string protocol = "imap";
  bool clear = false;
  bool resume = false;
  unsigned at_once = 16;
  std::uint64_t count = 1000;  // operations in all
  std::size_t message = 10'000'000;
  unsigned users = 1000;
};

class Driver final : private Client::Owner {
 public:
  explicit Driver(const Options& options)
      : options_(options),
        loop_({.end_of_turn = [this] { dead_.clear(); }, .woken = [this] { loop_.stop(); }, .addresses = {}}),
        tls_(*tls::ClientContext::create({.ca_file = {}, .verify = false})) {
    target_.endpoint = *Endpoint::parse(options.endpoint);
    target_.protocol = options.protocol == "imap" ? Protocol::Imap : Protocol::Pop3;
    target_.tls = !options.clear;
  }

  int run() {
    const Time began = loop_.now();
    const bool sessions = options_.mode != "logins";
    wanted_ = sessions ? options_.at_once : options_.count;
    for (unsigned i = 0; i < std::min<std::uint64_t>(sessions ? 64 : options_.at_once, wanted_); ++i)
      open({});
    loop_.run();
    report(loop_.now() - (sessions && ready_at_ != Time{} ? ready_at_ : began));
    return tally_.failed == 0 ? 0 : 1;
  }

 private:
  Client::Plan plan() const {
    if (options_.mode == "logins") return Client::Plan::Leave;
    if (options_.mode == "idle") return Client::Plan::Stay;
    if (options_.mode == "fetch") return Client::Plan::Fetch;
    if (options_.mode == "append") return Client::Plan::Append;
    return Client::Plan::PingPong;
  }

  // With a session to resume: that of a client that has left.
  void open(const std::string& session_key) {
    const std::string number = std::to_string(++opened_);
    clients_.push_back(
        std::make_unique<Client>(loop_, *tls_, target_,
                                 Client::Task{.plan = plan(),
                                              .message = options_.message,
                                              .user = "user" + std::to_string(opened_ % options_.users),
                                              .session_key = session_key.empty() ? number : session_key},
                                 static_cast<Client::Owner&>(*this)));
    clients_.back()->begin();
  }

  void logged_in(Client& client) override {
    const Time now = loop_.now();
    if (const auto agreement = client.agreement()) {
      if (agreement->resumed) ++tally_.resumed;
      tls_agreed_.assign(agreement->version).append(" ").append(agreement->cipher);
      tls_agreed_.append(" ").append(agreement->group);
    }
    if (plan() == Client::Plan::Leave) {
      tally_.times.push_back(now - client.began());
      client.leave();
      return;
    }
    ++logged_in_;
    if (opened_ < wanted_) open({});
    if (logged_in_ < wanted_) return;
    ready_at_ = now;
    if (plan() == Client::Plan::Stay) {
      std::printf("ready\n");
      std::fflush(stdout);
      waiter_ = std::thread([this] {
        std::string line;
        while (std::getline(std::cin, line)) {
        }
        loop_.wake();
      });
      return;
    }
    started_ = std::min<std::uint64_t>(options_.count, clients_.size());
    std::uint64_t begun = 0;
    for (const auto& one : clients_) {
      if (begun++ < started_) one->next_operation();
    }
  }

  void operation_done(Client& client) override {
    ++tally_.good;
    tally_.times.push_back(loop_.now() - client.began());
    if (tally_.good + tally_.failed >= options_.count) return loop_.stop();
    if (started_ < options_.count) {
      ++started_;
      client.next_operation();
    }
  }

  void closed(Client& client, bool good, const std::string& why) override {
    if (plan() == Client::Plan::Leave && good) {
      ++tally_.good;
    } else {
      ++tally_.failed;
      if (tally_.first_failure.empty()) tally_.first_failure = why;
    }
    tally_.bytes += client.bytes();
    const auto found =
        std::ranges::find_if(clients_, [&client](const auto& one) { return one.get() == &client; });
    dead_.push_back(std::move(*found));
    clients_.erase(found);
    if (plan() != Client::Plan::Leave) {
      if (tally_.failed > 0) loop_.stop();
      return;
    }
    if (opened_ < wanted_) {
      open(options_.resume ? client.session_key() : std::string());
    } else if (clients_.empty()) {
      loop_.stop();
    }
  }

  void report(Time::duration took) {
    if (waiter_.joinable()) waiter_.join();
    for (const auto& one : clients_) tally_.bytes += one->bytes();
    std::ranges::sort(tally_.times);
    const auto at = [this](double part) {
      if (tally_.times.empty()) return 0.0;
      const auto place = static_cast<std::size_t>(part * static_cast<double>(tally_.times.size() - 1));
      return seconds(tally_.times[place]) * 1000;
    };
    const nlohmann::ordered_json answer{
        {"good", tally_.good},      {"failed", tally_.failed}, {"first_failure", tally_.first_failure},
        {"seconds", seconds(took)}, {"bytes", tally_.bytes},   {"p50_ms", at(0.5)},
        {"p99_ms", at(0.99)},       {"tls", tls_agreed_},      {"resumed", tally_.resumed}};
    std::puts(answer.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace).c_str());
  }

  const Options& options_;
  net::Loop loop_;
  std::shared_ptr<tls::ClientContext> tls_;
  Target target_;
  Tally tally_;
  std::string tls_agreed_;  // by the client that logged in last
  std::list<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> dead_;
  std::uint64_t wanted_ = 0;
  std::uint64_t opened_ = 0;
  std::uint64_t logged_in_ = 0;
  std::uint64_t started_ = 0;
  Time ready_at_{};
  std::thread waiter_;
};

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  postern::bench::Options options;
  CLI::App app("Load for a mail proxy");
  app.add_option("mode", options.mode, "logins, idle, noop, fetch or append")
      ->required()
      ->check(CLI::IsMember({"logins", "idle", "noop", "fetch", "append"}));
  app.add_option("endpoint", options.endpoint, "address:port")
      ->required()
      ->check([](const std::string& text) {
        return postern::Endpoint::parse(text) ? std::string() : "not an address and a port: " + text;
      });
  app.add_option("--protocol", options.protocol)->check(CLI::IsMember({"imap", "pop3"}));
  app.add_flag("--clear", options.clear, "No TLS");
  app.add_flag("--resume", options.resume, "Resume the TLS session of the client that left");
  app.add_option("--at-once", options.at_once, "Connections at once; the sessions of all modes but logins");
  app.add_option("--count", options.count, "Operations in all");
  app.add_option("--message", options.message, "Bytes of a message");
  app.add_option("--users", options.users, "Different user names");
  CLI11_PARSE(app, argc, argv);
  return postern::bench::Driver(options).run();
}
