#include "proxy/server.h"

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include "proxy/compose.h"
#include "proxy/process.h"
#include "proxy/tls/stream.h"

namespace postern {

namespace {

constexpr std::chrono::milliseconds kDrainStep{50};
constexpr std::chrono::seconds kLastWords{6};  // after the deadline: for goodbyes to be read
constexpr std::chrono::seconds kStuck{10};     // a loop that has not turned for so long is not healthy

auth::Limiter::Limits limits_of(const conf::Limits& limits) {
  return {.sessions_per_address = limits.sessions_per_address,
          .prelogin_per_address = limits.prelogin_per_address,
          .sessions_per_user = limits.sessions_per_user};
}

unsigned workers_of(const conf::Config& config) {
  return config.server.workers != 0 ? config.server.workers
                                    : std::max(1U, std::thread::hardware_concurrency());
}

observe::MetricsSettings metrics_of(const conf::Config& config, const std::string& version) {
  observe::MetricsSettings settings;
  settings.workers = workers_of(config);
  settings.build = {version, tls_library_version(), compiler_version()};
  for (int i = 0; i <= static_cast<int>(tls::Failure::Protocol); ++i) {
    settings.tls_failures.emplace_back(name_of(static_cast<tls::Failure>(i)));
  }
  for (std::size_t i = 0; i < pool::kHows; ++i)
    settings.decisions.emplace_back(name_of(static_cast<pool::How>(i)));
  return settings;
}

observe::LogSettings log_of(const conf::Log& log) {
  observe::LogSettings settings;
  settings.level = static_cast<observe::Level>(log.level);
  settings.format = log.format == conf::LogFormat::Json ? observe::Format::Json : observe::Format::Logfmt;
  settings.target = log.target;
  return settings;
}

// Keys that act at the start alone, and that differ.
std::string needs_restart(const conf::Config& before, const conf::Config& now) {
  std::string keys;
  const auto note = [&keys](bool differs, std::string_view key) {
    if (differs) keys.append(keys.empty() ? "" : " ").append(key);
  };
  note(before.server.workers != now.server.workers, "server.workers");
  note(before.server.user != now.server.user, "server.user");
  note(before.log.format != now.log.format, "log.format");
  note(before.log.target != now.log.target, "log.target");
  note(before.admin.http != now.admin.http, "admin.http");
  return keys;
}

}  // namespace

std::expected<std::unique_ptr<Server>, std::string> Server::create(Start start) {
  auto loaded = conf::load_file(start.config_path, start.environment);
  if (!loaded) return std::unexpected(conf::to_string(loaded.error()));
  auto log = observe::Log::open(log_of(loaded->config.log));
  if (!log) return std::unexpected(log.error() + "\n");
  std::unique_ptr<Server> server(new Server(std::move(start), std::move(*loaded), std::move(*log)));
  if (auto opened = server->open(); !opened) return std::unexpected(opened.error());
  return server;
}

Server::Server(Start start, conf::Loaded loaded, std::unique_ptr<observe::Log> log)
    : start_(std::move(start)),
      loaded_(std::move(loaded)),
      log_(std::move(log)),
      metrics_(metrics_of(loaded_.config, start_.version)),
      limiter_(limits_of(loaded_.config.limits)),
      failure_delay_(loaded_.config.limits.failure_delay, loaded_.config.limits.failure_delay_max),
      shared_{.log = *log_, .limiter = limiter_, .failure_delay = failure_delay_},
      loop_({.end_of_turn = {},
             .woken = {},
             .addresses = [this](const std::vector<Address>& addresses,
                                 net::AnswerTicket ticket) { prober_.on_addresses(addresses, ticket); }}),
      prober_(loop_, *log_),
      drain_timer_(*this),
      rereader_(loop_, *log_),
      trimmer_(loop_, [this] { return sessions(); }) {}

Server::~Server() {
  admin_.reset();  // its pages read everything else
  workers_.clear();
  prober_.stop();
  drain_timer_.stop();
  signals_.reset();
  hangups_.reset();
}

std::expected<void, std::string> Server::open() {
  // Reading a million users takes seconds, in which a log may be rotated.
  hangups_ = std::make_unique<net::Signals>(loop_.handle(), std::vector{SIGHUP}, [this](int) { reload(); });
  auto snapshot = compose(loaded_, nullptr, &metrics_, loop_.now());
  if (!snapshot) return std::unexpected(conf::to_string(snapshot.error()));
  std::vector<Endpoint> kept;
  const unsigned count = workers_of(loaded_.config);
  auto gates = open_gates(**snapshot, count, kept);
  if (!gates) return std::unexpected(gates.error() + "\n");
  if (auto raised = raise_descriptor_limit(loaded_.config.limits.sessions); !raised) {
    return std::unexpected(raised.error() + "\n");
  }
  if (!loaded_.config.server.user.empty()) {
    if (auto dropped = become(loaded_.config.server.user); !dropped)
      return std::unexpected(dropped.error() + "\n");
  }
  forbid_core_dumps();
  // Workers connect to services: as the user who will do so again later.
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, shared_, metrics_.worker(i), *snapshot));
  }
  use(std::move(loaded_), *snapshot, std::move(*gates), std::move(kept));
  metrics_.shared().config_last_reload_successful.set(1);
  if (auto started = start_admin(); !started) return std::unexpected(started.error() + "\n");
  return {};
}

std::expected<std::vector<std::vector<Worker::Gate>>, std::string> Server::open_gates(
    const Snapshot& snapshot, std::size_t workers, std::vector<Endpoint>& kept) {
  std::vector<std::vector<Worker::Gate>> gates(workers);
  for (const ListenerPlan& listener : snapshot.listeners) {
    for (const Endpoint& endpoint : listener.addresses) {
      if (std::ranges::find(endpoints_, endpoint) != endpoints_.end()) {
        kept.push_back(endpoint);
        continue;
      }
      for (auto& of_worker : gates) {
        auto socket = net::ListeningSocket::open(endpoint);
        if (!socket) return std::unexpected(socket.error());
        of_worker.push_back({endpoint, std::move(*socket)});
      }
      kept.push_back(endpoint);
    }
  }
  return gates;
}

void Server::use(conf::Loaded loaded, std::shared_ptr<const Snapshot> snapshot,
                 std::vector<std::vector<Worker::Gate>> gates, std::vector<Endpoint> kept) {
  loaded_ = std::move(loaded);
  limiter_.set_limits(limits_of(loaded_.config.limits));
  failure_delay_.set(loaded_.config.limits.failure_delay, loaded_.config.limits.failure_delay_max);
  log_->set_level(static_cast<observe::Level>(loaded_.config.log.level));
  endpoints_ = std::move(kept);
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = snapshot;
  }
  for (std::size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->use(snapshot, std::move(gates[i]), endpoints_);
  put_into_use(*snapshot);
  rereader_.use(loaded_.config, *snapshot);
  prober_.use(std::move(snapshot));
  metrics_.shared().config_last_reload_success_timestamp.set(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

std::expected<void, std::string> Server::start_admin() {
  metrics_.set_readings({.backends = [this] { return sample_backends(); },
                         .certificates = [this] { return sample_certificates(); },
                         .log_lines_dropped = [this] { return log_->dropped(); }});
  if (!loaded_.config.admin.http) return {};
  auto admin =
      observe::AdminHttp::start(*loaded_.config.admin.http, {.version = start_.version,
                                                             .metrics = [this] { return metrics_.text(); },
                                                             .healthy = [this] { return healthy(); },
                                                             .ready = [this] { return ready(); }});
  if (!admin) return std::unexpected(admin.error());
  admin_ = std::move(*admin);
  return {};
}

void Server::run() {
  signals_ =
      std::make_unique<net::Signals>(loop_.handle(), std::vector{SIGTERM, SIGINT}, [this](int) { end(); });
  for (const auto& worker : workers_) worker->start();
  std::string listeners;
  for (const Endpoint& endpoint : endpoints_)
    listeners += (listeners.empty() ? "" : " ") + endpoint.to_string();
  log_->event(observe::Level::Info, "started",
              {{"version", start_.version},
               {"boringssl", tls_library_version()},
               {"workers", static_cast<std::uint64_t>(workers_.size())},
               {"listeners", listeners}});
  loop_.run();
  admin_.reset();  // its pages speak of the workers
  // What is left is cut; the log is written to its end by its destructor.
  const unsigned left = sessions();
  workers_.clear();
  log_->event(observe::Level::Info, "stopped", {{"sessions_cut", left}});
}

void Server::end() {
  if (drain_ == Drain::No) return begin_drain();
  loop_.stop();
}

void Server::reload() {
  const auto refuse = [this](const std::string& problems) {
    metrics_.shared().config_last_reload_successful.set(0);
    log_->event(observe::Level::Error, "reload_refused",
                {{"file", start_.config_path}, {"problems", problems}});
  };
  if (auto reopened = log_->reopen(); !reopened) {
    log_->event(observe::Level::Error, "log_not_reopened", {{"detail", reopened.error()}});
  }
  auto loaded = conf::load_file(start_.config_path, start_.environment);
  if (!loaded) return refuse(conf::to_string(loaded.error()));
  auto next = compose(*loaded, snapshot().get(), &metrics_, loop_.now());
  if (!next) return refuse(conf::to_string(next.error()));
  std::vector<Endpoint> kept;
  auto gates = open_gates(**next, workers_.size(), kept);
  if (!gates) return refuse(gates.error());
  if (drain_ != Drain::No) return refuse("the proxy is draining");
  const std::string waiting = needs_restart(loaded_.config, loaded->config);
  use(std::move(*loaded), std::move(*next), std::move(*gates), std::move(kept));
  metrics_.shared().config_last_reload_successful.set(1);
  log_->event(observe::Level::Info, "reloaded", {{"file", start_.config_path}});
  if (!waiting.empty()) log_->event(observe::Level::Warn, "restart_needed", {{"keys", waiting}});
}

void Server::begin_drain() {
  drain_ = Drain::Waiting;
  drain_began_ = loop_.now();
  metrics_.shared().draining.set(1);
  log_->event(observe::Level::Info, "drain_began", {{"sessions", sessions()}});
  drain_step(drain_began_);
}

void Server::drain_step(Time now) {
  const conf::Drain& drain = loaded_.config.server.drain;
  if (drain_ == Drain::Waiting && now >= drain_began_ + drain.wait) {
    drain_ = Drain::Leaving;
    drain_began_ = now;
    for (const auto& worker : workers_) {
      worker->stop_accepting();
      worker->ask_to_leave(drain.spread);
    }
  } else if (drain_ == Drain::Leaving && now >= drain_began_ + drain.deadline) {
    drain_ = Drain::Dismissed;
    drain_began_ = now;
    for (const auto& worker : workers_) worker->dismiss_all();
  }
  const bool over = drain_ != Drain::Waiting && now > drain_began_ && shared_.sessions == 0;
  if (over || (drain_ == Drain::Dismissed && now >= drain_began_ + kLastWords)) {
    loop_.stop();
    return;
  }
  loop_.timers().start(drain_timer_, now + kDrainStep);
}

unsigned Server::sessions() const { return shared_.sessions.load(std::memory_order_relaxed); }

observe::Answer Server::healthy() const {
  const Time now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (now - workers_[i]->last_turn() > kStuck) {
      return {false, "worker " + std::to_string(i) + " has not turned for more than 10 s\n"};
    }
  }
  return {true, "every loop turns\n"};
}

observe::Answer Server::ready() const {
  if (drain_ != Drain::No) return {false, "draining\n"};
  const std::vector<std::string> silent = prober_.silent_pools();
  if (silent.empty()) return {true, "accepting, and every pool has a backend that answers\n"};
  std::string text;
  for (const std::string& pool : silent) text += "no backend of pool " + pool + " answers\n";
  return {false, text};
}

std::vector<observe::BackendSample> Server::sample_backends() const {
  const auto current = snapshot();
  const Time now = std::chrono::steady_clock::now();
  std::vector<observe::BackendSample> samples;
  for (const StorePool& pool : current->pools) {
    for (const pool::Backend& backend : pool.members->backends()) {
      samples.push_back({.pool = pool.name,
                         .backend = backend.name(),
                         .sessions = backend.sessions(),
                         .pending_logins = backend.pending_logins(),
                         .up = backend.health().up(),
                         .ejected = backend.health().ejected(now)});
    }
  }
  return samples;
}

std::vector<observe::CertificateSample> Server::sample_certificates() const {
  const auto current = snapshot();
  std::vector<observe::CertificateSample> samples;
  if (!current->tls) return samples;
  for (const tls::CertificateInfo& info : current->tls->certificates()) {
    samples.push_back({info.chain_file, info.not_after});
  }
  return samples;
}

std::shared_ptr<const Snapshot> Server::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

}  // namespace postern
