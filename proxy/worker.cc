#include "proxy/worker.h"

#include <algorithm>
#include <random>
#include <utility>

#include "proxy/net/interfaces.h"
#include "proxy/net/socket.h"

namespace postern {

namespace {

constexpr std::chrono::milliseconds kBeat{100};
constexpr std::chrono::seconds kBeatAtRest{1};

// How often a worker in which nothing happens looks for a place for a login that waits.
constexpr std::chrono::milliseconds kLook{25};

// Connections accepted per listener in one turn of the loop.
constexpr unsigned kBatch = 64;
constexpr unsigned kSmallBatch = 8;

std::uint64_t random_start() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

Worker::Worker(std::size_t number, Shared& shared, observe::WorkerMetrics& metrics,
               std::shared_ptr<const Snapshot> snapshot)
    : shared_(shared),
      metrics_(metrics),
      snapshot_(std::move(snapshot)),
      own_addresses_(net::own_addresses()),
      loop_({.end_of_turn = [this](Time::duration turn) { return end_turn(turn); },
             .woken =
                 [this] {
                   run_tasks();
                   services_.woken();
                 },
             .addresses =
                 [this](const std::vector<Address>& addresses, net::AnswerTicket ticket) {
                   if (ticket.slot >= net::kServiceSlots) {
                     services_.addresses(addresses, ticket);
                   } else if (Session* session = session_at(ticket.slot)) {
                     session->on_addresses(addresses, ticket);
                   }
                 },
             .offloaded =
                 [this](net::AnswerTicket ticket) {
                   if (Session* session = session_at(ticket.slot)) session->on_offloaded(ticket);
                 }}),
      services_(loop_, {.wake = [this] { loop_.wake(); },
                        .identified =
                            [this](auth::Answer answer) {
                              if (Session* session = session_at(answer.ticket.slot))
                                session->on_identified(std::move(answer));
                            },
                        .policy =
                            [this](const auth::PolicyAnswer& answer) {
                              if (Session* session = session_at(answer.ticket.slot))
                                session->on_policy(answer);
                            },
                        .placed =
                            [this](route::MapAnswer answer) {
                              if (Session* session = session_at(answer.ticket.slot))
                                session->on_placed(std::move(answer));
                            },
                        .map_connection =
                            [this](std::string_view map, bool connected, const std::string& why) {
                              log_map_connection(shared_.log, map, connected, why);
                            }}),
      heartbeat_(*this),
      id_state_(random_start() + number),
      random_(std::random_device{}()),
      last_turn_(loop_.now().time_since_epoch().count()) {
  services_.use(snapshot_);
}

Worker::~Worker() {
  if (thread_.joinable()) {
    loop_.stop();
    thread_.join();
  }
  heartbeat_.stop();
  look_.stop();
  gates_.clear();
  for (Slot& slot : slots_) {
    if (slot.session) slot.session->cut(Fault::ShuttingDown);
  }
  free_buried(buried_.size());
}

void Worker::start() {
  loop_.timers().start(heartbeat_, loop_.now() + kBeat);
  thread_ = std::thread([this] { loop_.run(); });
}

void Worker::use(std::shared_ptr<const Snapshot> snapshot, std::vector<Gate> opened,
                 std::vector<Endpoint> kept) {
  auto gates = std::make_shared<std::vector<Gate>>(std::move(opened));
  post([this, snapshot = std::move(snapshot), gates, kept = std::move(kept)] {
    snapshot_ = snapshot;
    own_addresses_ = net::own_addresses();
    services_.use(snapshot_);
    std::erase_if(gates_, [&kept](const OpenGate& gate) {
      return std::ranges::find(kept, gate.endpoint) == kept.end();
    });
    for (Gate& gate : *gates) {
      gates_.push_back({gate.endpoint, nullptr});
      gates_.back().acceptor = std::make_unique<net::Acceptor>(
          loop_.handle(), std::move(gate.socket),
          net::Acceptor::Hooks{
              .accepted = [this, at = gate.endpoint](
                              int descriptor, const Endpoint& peer) { accepted(at, descriptor, peer); },
              .room = [this] { return room(); },
              .exhausted =
                  [this](int) {
                    exhausted_ = true;
                    metrics_.connection_refused(Fault::Exhausted);
                  }});
    }
  });
}

void Worker::stop_accepting() {
  post([this] { gates_.clear(); });
}

void Worker::ask_to_leave(Duration spread) {
  post([this, spread] { leaving_ = Leaving{.until = loop_.now() + spread}; });
}

void Worker::dismiss_all() {
  post([this] {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (Session* session = session_at(slot)) session->dismiss(Fault::ShuttingDown);
    }
  });
}

void Worker::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  loop_.wake();
}

void Worker::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

// While newcomers wait in line, few more are taken at once: accepting them takes time, too.
int Worker::room() const {
  const unsigned sessions = shared_.sessions.load(std::memory_order_relaxed);
  if (exhausted_ || sessions >= snapshot_->limits.sessions) return 0;
  const unsigned batch = admission_.waiting() == 0 ? kBatch : kSmallBatch;
  return static_cast<int>(std::min(batch, snapshot_->limits.sessions - sessions));
}

void Worker::accepted(const Endpoint& at, int descriptor, const Endpoint& peer) {
  // A reload may have given the address to another listener.
  const auto plan = std::ranges::find_if(snapshot_->listeners, [&at](const ListenerPlan& listener) {
    return std::ranges::find(listener.addresses, at) != listener.addresses.end();
  });
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  SessionHost& host = *this;
  slots_[slot].session = std::make_unique<Session>(host, snapshot_, *plan, peer, slot);
  shared_.sessions.fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  Session& session = *slots_[slot].session;
  session.begin(std::make_unique<net::Socket>(loop_.handle(), descriptor, &session, kFront));
}

void Worker::beat(Time now) {
  last_turn_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  metrics_.loop_lag.observe(loop_.take_longest_turn(), now);
  services_.beat(now);
  exhausted_ = false;
  const unsigned limit = snapshot_->limits.sessions;
  std::int64_t paused = 0;
  for (OpenGate& gate : gates_) {
    if (!gate.acceptor->paused()) continue;
    ++paused;
    if (shared_.sessions.load(std::memory_order_relaxed) < limit) gate.acceptor->resume();
  }
  metrics_.accept_paused.set(paused);
  metrics_.buffered_bytes.set(loop_.unwritten);
  metrics_.admission_waiting.set(static_cast<std::int64_t>(admission_.waiting()));

  if (leaving_) ask_some_to_leave(now);
  const bool busy = std::exchange(worked_, false) || leaving_ || paused > 0;
  at_rest_ = !busy;
  beating_ = true;
  loop_.timers().start(heartbeat_, now + (busy ? Time::duration(kBeat) : Time::duration(kBeatAtRest)));
}

// A turn with more in it than a beat: the next beat shall not be far.
void Worker::note_work() {
  worked_ = true;
  if (!at_rest_) return;
  at_rest_ = false;
  loop_.timers().start(heartbeat_, loop_.now() + kBeat);
}

// As many slots as must be looked at now for the rest to be looked at evenly in the beats that are left.
void Worker::ask_some_to_leave(Time now) {
  const auto beats = static_cast<std::size_t>(std::max<std::int64_t>((leaving_->until - now) / kBeat, 1));
  std::size_t& slot = leaving_->slot;
  for (const std::size_t end = slot + (slots_.size() - slot + beats - 1) / beats; slot < end; ++slot) {
    Session* session = session_at(static_cast<std::uint32_t>(slot));
    if (session != nullptr && session->can_be_asked_to_leave()) session->dismiss(Fault::ShuttingDown);
  }
  if (slot == slots_.size()) leaving_.reset();
}

std::string Worker::new_session_id() {
  // SplitMix64: consecutive states give values without a visible order, and never the same twice.
  std::uint64_t value = (id_state_ += 0x9e3779b97f4a7c15U);
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  value ^= value >> 31;
  static constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id(13, '0');
  for (char& digit : id) {
    digit = kDigits[value % kDigits.size()];
    value /= kDigits.size();
  }
  return id;
}

bool Worker::is_own(const Endpoint& endpoint) const {
  for (const ListenerPlan& listener : snapshot_->listeners) {
    for (const Endpoint& own : listener.addresses) {
      if (own == endpoint) return true;
      const bool any = std::ranges::all_of(own.address.bytes, [](std::uint8_t byte) { return byte == 0; });
      if (!any || own.port != endpoint.port) continue;
      if (endpoint.address.is_loopback()) return true;
      if (std::ranges::find(own_addresses_, endpoint.address) != own_addresses_.end()) return true;
    }
  }
  return false;
}

void Worker::bury(std::uint32_t slot) { buried_.push_back(slot); }

bool Worker::end_turn(Time::duration turn) {
  if (!std::exchange(beating_, false)) note_work();
  bool worked = !buried_.empty();
  const auto admit = [this, &worked](net::AnswerTicket ticket) {
    worked = true;
    if (Session* session = session_at(ticket.slot)) session->on_admitted(ticket);
  };
  departures_.turn();
  while (const auto ticket = departures_.next()) admit(*ticket);
  if (!login_lines_.empty()) worked |= call_for_logins();
  admission_.turn(turn);
  while (const auto ticket = admission_.next()) admit(*ticket);
  free_buried(Departures::kAtOnce);
  loop_.stay_awake(admission_.waiting() != 0 || departures_.waiting() != 0 || !buried_.empty());
  return worked;
}

// Places that other workers' logins give back are found by looking.
bool Worker::call_for_logins() {
  const Time now = loop_.now();
  const bool called = login_lines_.call(now, [this](net::AnswerTicket ticket) {
    if (Session* session = session_at(ticket.slot)) session->on_called(ticket);
  });
  if (login_lines_.empty()) {
    look_.stop();
  } else if (!look_.running()) {
    loop_.timers().start(look_, now + kLook);
  }
  return called;
}

void Worker::free_buried(std::size_t most) {
  for (; most > 0 && !buried_.empty(); --most) {
    const std::uint32_t slot = buried_.front();
    buried_.pop_front();
    slots_[slot].session.reset();
    free_slots_.push_back(slot);
    shared_.sessions.fetch_sub(1, std::memory_order_relaxed);
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
}

Session* Worker::session_at(std::uint32_t slot) {
  return slot < slots_.size() && slots_[slot].session && !slots_[slot].session->over()
             ? slots_[slot].session.get()
             : nullptr;
}

}  // namespace postern
