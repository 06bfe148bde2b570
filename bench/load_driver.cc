#include "bench/load_driver.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

namespace postern::bench {
namespace {

Client::Plan plan_of(const std::string& mode) {
  if (mode == "logins") return Client::Plan::Leave;
  if (mode == "idle") return Client::Plan::Stay;
  if (mode == "fetch") return Client::Plan::Fetch;
  if (mode == "append") return Client::Plan::Append;
  return Client::Plan::PingPong;
}

double milliseconds_at(const std::vector<Time::duration>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto place = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
  return seconds(sorted[place]) * 1000;
}

}  // namespace

LoadDriver::LoadDriver(const Options& options, LoadTls& tls)
    : options_(options),
      tls_(tls),
      loop_({.end_of_turn =
                 [this](Time::duration) {
                   dead_.clear();
                   return false;
                 },
             .woken = [this] { become_due(); },
             .addresses = {}}),
      plan_(plan_of(options.mode)) {
  target_.endpoint = *Endpoint::parse(options.endpoint);
  target_.protocol = options.protocol == "imap" ? Protocol::Imap : Protocol::Pop3;
  target_.tls = !options.clear;
}

LoadDriver::~LoadDriver() {
  pacer_.reset();
  if (input_.joinable()) input_.join();
}

int LoadDriver::run() {
  began_ = loop_.now();
  wanted_ = sessions() ? options_.at_once : options_.count;
  if (!sessions() && options_.rate > 0) {
    pacer_.emplace(options_.rate, [this] { loop_.wake(); });
  } else {
    const auto first = std::min<std::uint64_t>(sessions() ? options_.wave : options_.at_once, wanted_);
    for (std::uint64_t i = 0; i < first; ++i) open({});
  }
  loop_.run();
  ended_ = loop_.now();
  pacer_.reset();
  report();
  return tally_.failed == 0 ? 0 : 1;
}

// With a session to resume: that of a client that has left.
void LoadDriver::open(const std::string& session_key, std::optional<Time> due) {
  const std::string number = std::to_string(++opened_);
  auto client =
      std::make_unique<Client>(loop_, tls_, target_,
                               Client::Task{.plan = plan_,
                                            .message = options_.message,
                                            .user = "user" + std::to_string(opened_ % options_.users),
                                            .session_key = session_key.empty() ? number : session_key},
                               static_cast<Client::Owner&>(*this));
  Client& begun = *client;
  clients_.emplace(&begun, std::move(client));
  most_ = std::max(most_, clients_.size());
  begun.begin(due.value_or(loop_.now()));
}

void LoadDriver::logged_in(Client& client) {
  const Time now = loop_.now();
  if (const auto agreement = client.agreement()) {
    if (agreement->resumed) ++tally_.resumed;
    tls_agreed_.assign(agreement->version).append(" ").append(agreement->cipher);
    tls_agreed_.append(" ").append(agreement->group);
  }
  if (!sessions() || plan_ == Client::Plan::Stay) tally_.times.push_back(now - client.began());
  if (!sessions()) {
    client.leave();
    return;
  }
  ++logged_in_;
  free_.push_back(&client);
  if (opened_ < wanted_) open({});
  if (logged_in_ == wanted_) all_ready(now);
}

void LoadDriver::all_ready(Time now) {
  if (endless()) {
    std::printf("ready %.3f\n", seconds(now - began_));
    std::fflush(stdout);
    watch_input();
  }
  began_ = now;
  if (plan_ == Client::Plan::Stay) return;
  if (options_.rate > 0) {
    pacer_.emplace(options_.rate, [this] { loop_.wake(); });
    return;
  }
  const std::uint64_t first =
      options_.until_end ? clients_.size() : std::min<std::uint64_t>(options_.count, clients_.size());
  due_.assign(first, now);
  started_ = first;
  begin_due();
}

void LoadDriver::watch_input() {
  input_ = std::thread([this] {
    std::string line;
    while (std::getline(std::cin, line)) {
    }
    input_ends_ = true;
    loop_.wake();
  });
}

// Woken: by the end of the input, or because the pacer's next operations are due.
void LoadDriver::become_due() {
  if (input_ends_) return loop_.stop();
  if (!pacer_) return;
  const std::uint64_t most = options_.until_end && sessions() ? ~std::uint64_t{0} : options_.count;
  const Time now = loop_.now();
  while (started_ < most && pacer_->due_at(started_) <= now) {
    const Time due = pacer_->due_at(started_++);
    if (sessions()) {
      due_.push_back(due);
    } else {
      open({}, due);
    }
  }
  begin_due();
}

void LoadDriver::begin_due() {
  while (!due_.empty() && !free_.empty()) {
    Client& next = *free_.front();
    free_.pop_front();
    const Time due = due_.front();
    due_.pop_front();
    next.next_operation(options_.rate > 0 ? due : loop_.now());
  }
}

void LoadDriver::operation_done(Client& client) {
  ++tally_.good;
  tally_.times.push_back(loop_.now() - client.began());
  if (!options_.until_end && tally_.good + tally_.failed >= options_.count) return loop_.stop();
  free_.push_back(&client);
  if (options_.rate == 0 && (options_.until_end || started_ < options_.count)) {
    ++started_;
    due_.push_back(loop_.now());
  }
  begin_due();
}

void LoadDriver::closed(Client& client, bool good, const std::string& why) {
  if (!sessions() && good) {
    ++tally_.good;
  } else {
    ++tally_.failed;
    if (tally_.first_failure.empty()) tally_.first_failure = why;
  }
  tally_.bytes += client.bytes();
  const auto found = clients_.find(&client);
  dead_.push_back(std::move(found->second));
  clients_.erase(found);
  if (sessions()) return loop_.stop();
  if (opened_ < wanted_ && options_.rate == 0) {
    open(options_.resume ? client.session_key() : std::string());
  } else if (opened_ >= wanted_ && clients_.empty()) {
    loop_.stop();
  }
}

void LoadDriver::report() {
  for (const auto& [client, owned] : clients_) tally_.bytes += client->bytes();
  std::ranges::sort(tally_.times);
  const nlohmann::ordered_json answer{{"good", tally_.good},
                                      {"failed", tally_.failed},
                                      {"first_failure", tally_.first_failure},
                                      {"seconds", seconds(ended_ - began_)},
                                      {"bytes", tally_.bytes},
                                      {"p50_ms", milliseconds_at(tally_.times, 0.5)},
                                      {"p95_ms", milliseconds_at(tally_.times, 0.95)},
                                      {"p99_ms", milliseconds_at(tally_.times, 0.99)},
                                      {"p999_ms", milliseconds_at(tally_.times, 0.999)},
                                      {"max_ms", milliseconds_at(tally_.times, 1)},
                                      {"most_at_once", most_},
                                      {"waiting", due_.size()},
                                      {"tls", tls_agreed_},
                                      {"resumed", tally_.resumed}};
  std::puts(answer.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

}  // namespace postern::bench
