#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conf/loader.h"
#include "proxy/auth/failure_delay.h"
#include "proxy/auth/limiter.h"
#include "proxy/net/loop.h"
#include "proxy/net/signals.h"
#include "proxy/observe/admin_http.h"
#include "proxy/observe/log.h"
#include "proxy/observe/metrics.h"
#include "proxy/prober.h"
#include "proxy/rereader.h"
#include "proxy/trimmer.h"
#include "proxy/worker.h"

namespace postern {

// The whole proxy: listeners, workers, reload and drain. Runs on the thread that calls run(); the workers
// have theirs, and the admin server its own.
class Server {
 public:
  struct Start {
    std::string config_path;
    conf::Environment environment;
    std::string version;
  };

  // Reads the configuration, opens the log and every listening socket, and drops privileges. Nothing is
  // accepted before run(). The error is for the operator, ready to print, and ends with a newline.
  static std::expected<std::unique_ptr<Server>, std::string> create(Start start);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Until SIGTERM or SIGINT and the drain that follows; a second one ends it at once. SIGHUP reloads.
  void run();

 private:
  Server(Start start, conf::Loaded loaded, std::unique_ptr<observe::Log> log);
  std::expected<void, std::string> open();
  std::expected<std::vector<std::vector<Worker::Gate>>, std::string> open_gates(const Snapshot& snapshot,
                                                                                std::size_t workers,
                                                                                std::vector<Endpoint>& kept);
  std::expected<void, std::string> start_admin();
  void end();  // at first in good order, the second time at once
  void reload();
  void use(conf::Loaded loaded, std::shared_ptr<const Snapshot> snapshot,
           std::vector<std::vector<Worker::Gate>> gates, std::vector<Endpoint> kept);

  // Drain: wait, then stop accepting and ask sessions to leave, then dismiss who is left.
  void begin_drain();
  void drain_step(Time now);
  unsigned sessions() const;

  observe::Answer healthy() const;
  observe::Answer ready() const;
  std::vector<observe::BackendSample> sample_backends() const;
  std::vector<observe::CertificateSample> sample_certificates() const;
  std::shared_ptr<const Snapshot> snapshot() const;

  class DrainTimer final : public net::Timer {
   public:
    explicit DrainTimer(Server& server) : server_(server) {}

   private:
    void expired(Time now) override { server_.drain_step(now); }
    Server& server_;
  };
  enum class Drain : std::uint8_t { No, Waiting, Leaving, Dismissed };

  Start start_;
  conf::Loaded loaded_;
  std::unique_ptr<observe::Log> log_;
  observe::Metrics metrics_;
  auth::Limiter limiter_;
  auth::FailureDelay failure_delay_;
  Shared shared_;
  net::Loop loop_;
  Prober prober_;
  DrainTimer drain_timer_;
  Rereader rereader_;
  Trimmer trimmer_;
  std::vector<Endpoint> endpoints_;  // that are listened on
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<observe::AdminHttp> admin_;
  std::unique_ptr<net::Signals> hangups_, signals_;
  std::atomic<Drain> drain_{Drain::No};
  Time drain_began_{};

  mutable std::mutex mutex_;  // guards snapshot_
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace postern
