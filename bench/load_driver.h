#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bench/load_client.h"
#include "bench/load_pacer.h"

namespace postern::bench {

struct Options {
  std::string mode;
  std::string endpoint;
  std::string protocol = "imap";
  LoadTls::Choice tls;
  bool clear = false;
  bool resume = false;
  bool until_end = false;  // operations go on until standard input ends, not until `count`
  unsigned at_once = 16;
  unsigned wave = 64;          // connections that are opened together
  std::uint64_t count = 1000;  // operations in all
  double rate = 0;             // of them per second; 0: each as soon as it can
  std::size_t message = 10'000'000;
  unsigned users = 1000;
};

// Opens the clients, hands out the operations, and counts. One run, in one thread.
class LoadDriver final : private Client::Owner {
 public:
  LoadDriver(const Options& options, LoadTls& tls);
  ~LoadDriver();
  int run();  // prints one line of JSON; the program's exit status

 private:
  void logged_in(Client& client) override;
  void operation_done(Client& client) override;
  void closed(Client& client, bool good, const std::string& why) override;

  bool sessions() const { return plan_ != Client::Plan::Leave; }
  bool endless() const { return options_.until_end || plan_ == Client::Plan::Stay; }
  void open(const std::string& session_key, std::optional<Time> due = {});
  void all_ready(Time now);
  void become_due();
  void begin_due();
  void watch_input();
  void report();

  const Options& options_;
  LoadTls& tls_;
  net::Loop loop_;
  Target target_;
  Client::Plan plan_;
  Tally tally_;
  std::string tls_agreed_;  // by the client that logged in last
  std::unordered_map<Client*, std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> dead_;
  std::deque<Client*> free_;  // logged in, with nothing to do
  std::deque<Time> due_;      // operations that nobody is free for
  std::uint64_t wanted_ = 0;  // connections in all
  std::uint64_t opened_ = 0;
  std::uint64_t logged_in_ = 0;
  std::uint64_t started_ = 0;  // operations
  std::size_t most_ = 0;       // clients at once
  Time began_{};
  Time ended_{};
  std::atomic<bool> input_ends_{false};
  std::thread input_;
  std::optional<Pacer> pacer_;
};

}  // namespace postern::bench
