#include "tests/sim/world.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <iterator>

#include "conf/loader.h"
#include "proxy/compose.h"

namespace postern::sim {

// The session's end of a connection.
class Wire final : public net::Transport {
 public:
  Wire(World& world, Peer& peer, net::TransportOwner* owner, int side)
      : world_(world), peer_(peer), owner_(owner), side_(side) {
    world_.wires_.push_back(this);
  }
  ~Wire() override {
    peer_.session_closed = true;
    std::erase(world_.wires_, this);
  }

  void want(bool readable, bool writable) override {
    wants_read_ = readable;
    wants_write_ = writable;
  }

  net::IoResult read(std::span<char> to) override {
    if (peer_.broken) return {net::IoResult::Kind::Failed, 0, ECONNRESET};
    const std::size_t size = std::min({peer_.to_session.size(), to.size(), peer_.read_at_once});
    if (size == 0) {
      return peer_.finished && peer_.to_session.empty() ? net::IoResult{net::IoResult::Kind::End, 0, 0}
                                                        : net::IoResult{};
    }
    std::copy_n(peer_.to_session.data(), size, to.data());
    peer_.to_session.erase(0, size);
    return {net::IoResult::Kind::Done, size, 0};
  }

  net::IoResult write(std::string_view bytes) override {
    if (peer_.broken) return {net::IoResult::Kind::Failed, 0, EPIPE};
    const std::size_t size = std::min(bytes.size(), room());
    if (size == 0) return {};
    peer_.received.append(bytes.substr(0, size));
    return {net::IoResult::Kind::Done, size, 0};
  }

  int connect_error() override { return peer_.connect_error; }
  void finish_writing() override { peer_.session_finished = true; }
  void break_off() override { peer_.session_broke_off = true; }
  Endpoint local() const override { return *Endpoint::parse("203.0.113.1:993"); }

  // Delivers one event, if there is one.
  bool turn() {
    if (!peer_.told_connected) {
      if (!peer_.connects || !wants_write_) return false;
      peer_.told_connected = true;
      owner_->on_ready(side_, false, true);
      return true;
    }
    const bool readable =
        wants_read_ && (peer_.broken || !peer_.to_session.empty() || (peer_.finished && !told_end_));
    const bool writable = wants_write_ && (peer_.broken || room() > 0);
    if (!readable && !writable) return false;
    // An end is level-triggered in the real world; once is enough here to see whether it was acted on.
    if (readable && peer_.finished && peer_.to_session.empty()) told_end_ = true;
    owner_->on_ready(side_, readable, writable);
    return true;
  }

 private:
  std::size_t room() const {
    const std::size_t on_wire = peer_.received.size() - std::min(peer_.taken, peer_.received.size());
    if (peer_.window == SIZE_MAX) return SIZE_MAX;
    return peer_.window - std::min(on_wire, peer_.window);
  }

  World& world_;
  Peer& peer_;
  net::TransportOwner* owner_;
  int side_;
  bool wants_read_ = false;
  bool wants_write_ = false;
  bool told_end_ = false;
};

namespace {

std::unique_ptr<observe::Log> open_log(const std::string& path) {
  auto log = observe::Log::open({.level = observe::Level::Debug, .target = path});
  REQUIRE(log.has_value());
  return std::move(*log);
}

conf::Loaded load(std::string_view toml) {
  conf::Environment environment;
  environment.variable = [](const std::string&) { return std::nullopt; };
  environment.host_name = "mail.example.org";
  environment.read_files = false;
  auto loaded = conf::load(toml, "sim.toml", environment);
  if (!loaded) FAIL(conf::to_string(loaded.error()));
  return std::move(*loaded);
}

}  // namespace

World::World(std::string_view toml)
    : log_(open_log(folder_ / "log")),
      metrics_(observe::MetricsSettings{}),
      services_(*this,
                {.wake = [] {},
                 .identified = [this](auth::Answer answer) { session_->on_identified(std::move(answer)); },
                 .policy = [this](const auth::PolicyAnswer& answer) { session_->on_policy(answer); },
                 .placed = [this](route::MapAnswer answer) { session_->on_placed(std::move(answer)); },
                 .map_connection =
                     [this](std::string_view map, bool connected, const std::string& why) {
                       log_map_connection(*log_, map, connected, why);
                     }}) {
  const conf::Loaded loaded = load(toml);
  auto snapshot = compose(loaded, nullptr, &metrics_, now_);
  if (!snapshot) FAIL(conf::to_string(snapshot.error()));
  snapshot_ = *snapshot;
  put_into_use(*snapshot_);
  services_.use(snapshot_);
  const conf::Limits& limits = loaded.config.limits;
  limiter_.set_limits({.sessions_per_address = limits.sessions_per_address,
                       .prelogin_per_address = limits.prelogin_per_address,
                       .sessions_per_user = limits.sessions_per_user});
  failure_delay_ = std::make_unique<auth::FailureDelay>(limits.failure_delay, limits.failure_delay_max);
  if (always_in_line()) crowd();
}

World::~World() {
  if (session_) session_->cut(Fault::ShuttingDown);
  session_.reset();
  log_.reset();
}

void World::reload(std::string_view toml) {
  auto snapshot = compose(load(toml), snapshot_.get(), &metrics_, now_);
  if (!snapshot) FAIL(conf::to_string(snapshot.error()));
  snapshot_ = *snapshot;
  put_into_use(*snapshot_);
  services_.use(snapshot_);
}

void World::refuse_reload(std::string_view toml) {
  CHECK(compose(load(toml), snapshot_.get(), &metrics_, now_).has_value());
}

void World::connect(std::string_view from) {
  client.told_connected = true;
  session_ = std::make_unique<Session>(static_cast<SessionHost&>(*this), snapshot_,
                                       snapshot_->listeners.front(), *Endpoint::parse(from), 0);
  session_->begin(std::make_unique<Wire>(*this, client, session_.get(), kFront));
}

bool World::turn() {
  departures_.turn();
  for (std::size_t i = 0; i < wires_.size(); ++i) {
    if (!wires_[i]->turn()) continue;
    free_the_buried();
    return true;
  }
  if (threads_work && !offloaded.empty()) {
    do_offloaded();
    free_the_buried();
    return true;
  }
  return always_in_line() && take_one_of_the_line();
}

bool World::always_in_line() { return std::getenv("POSTERN_SIM_IN_LINE") != nullptr; }

// False: nobody but strangers.
bool World::take_one_of_the_line() {
  std::optional<net::AnswerTicket> ticket;
  for (int strangers = 0; strangers <= kStrangers; ++strangers) {
    admission_.turn({});
    ticket = admission_.next();
    use_up_turn();
    if (ticket && ticket->generation != 0) break;
    if (ticket) admission_.enter(Admission::Step::Hello, *ticket);
    ticket.reset();
  }
  if (ticket && session_) session_->on_admitted(*ticket);
  free_the_buried();
  return ticket.has_value();
}

void World::free_the_buried() {
  if (buried_) session_.reset();
  buried_ = false;
}

void World::settle() {
  free_the_buried();
  for (int turns = 0; turn(); ++turns) REQUIRE_MESSAGE(turns < 1'000'000, "the session spins");
}

void World::pass(Duration duration) {
  const Time until = now_ + duration;
  settle();
  while (now_ < until) {
    now_ = std::min(until, now_ + net::TimerWheel::kWidth);
    wheel_.advance(now_);
    services_.beat(now_);
    login_lines_.call(now_, [this](net::AnswerTicket ticket) {
      if (session_) session_->on_called(ticket);
    });
    free_the_buried();
    settle();
  }
}

void World::use_up_turn() { admission_.spent(std::chrono::hours(1)); }

void World::crowd() {
  use_up_turn();
  for (int i = 0; i < kStrangers; ++i) admission_.enter(Admission::Step::Hello, {0, 0});  // nobody's ticket
}

void World::exodus() {
  while (departures_.enter({0, 0})) continue;
}

void World::next_turn() {
  const auto admit = [this](net::AnswerTicket ticket) {
    if (session_) session_->on_admitted(ticket);
  };
  departures_.turn();
  while (const auto ticket = departures_.next()) admit(*ticket);
  admission_.turn({});
  while (const auto ticket = admission_.next()) admit(*ticket);
  settle();
}

std::expected<std::unique_ptr<net::Transport>, int> World::dial(const Endpoint& to,
                                                                net::TransportOwner* owner, int side) {
  dialled.push_back(to);
  if (dial_error) return std::unexpected(*std::exchange(dial_error, std::nullopt));
  stores.push_back(std::make_unique<Peer>());
  if (on_dial) on_dial(*stores.back(), stores.size() - 1);
  return std::make_unique<Wire>(*this, *stores.back(), owner, side);
}

void World::resolve(const std::string& host, net::AnswerTicket ticket) {
  asked.emplace_back(host, ticket);
  if (!names_answer) return;
  // Never from within resolve(): the next advance of the clock brings it.
  class Later final : public net::Timer {
   public:
    Later(World& world, std::string name, net::AnswerTicket of)
        : world_(world), host_(std::move(name)), ticket_(of) {}

   private:
    void expired(Time) override { world_.answer_late(host_, ticket_); }
    World& world_;
    std::string host_;
    net::AnswerTicket ticket_;
  };
  later_.push_back(std::make_unique<Later>(*this, host, ticket));
  wheel_.start(*later_.back(), now_);
}

void World::do_offloaded() {
  const auto [work, ticket] = std::move(offloaded.front());
  offloaded.pop_front();
  work();
  if (session_) session_->on_offloaded(ticket);
}

void World::answer_late(const std::string& host, net::AnswerTicket ticket) {
  if (session_) session_->on_addresses(names[host], ticket);
}

bool World::is_own(const Endpoint& endpoint) const {
  const auto& own = snapshot_->listeners.front().addresses;
  return std::ranges::find(own, endpoint) != own.end();
}

std::string World::log_line() {
  // The log's destructor writes what waits; the file is whole after it.
  log_.reset();
  const std::string path = folder_ / "log";
  std::string text = content_of(path);
  std::filesystem::remove(path);
  log_ = open_log(path);
  return text;
}

}  // namespace postern::sim
