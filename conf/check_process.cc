#include <cstdint>
#include <pwd.h>
#include <string>

#include "conf/checks.h"
#include "conf/quantity.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

// Log, admin port, signals, timers, the health checks' sockets; and for each worker its loop, its resolver,
// its listening sockets, and its connections to services: one for each question to an HTTP service, and one
// to Dovecot and to each Redis.
constexpr std::uint64_t kDescriptorsOfProcess = 64;
constexpr std::uint64_t kDescriptorsOfWorker = 16;
constexpr std::uint64_t kDescriptorsOfSession = 2;

std::uint64_t service_connections(const Config& config) {
  const Auth& auth = config.auth;
  std::uint64_t connections = auth.dovecot ? 1 : 0;
  if (auth.http) connections += auth.http->in_flight;
  if (auth.policy) connections += auth.policy->in_flight;
  for (const Map& map : config.maps) connections += map.redis ? 1 : 0;
  return connections;
}

std::uint64_t descriptors(const Config& config, unsigned processors) {
  const std::uint64_t workers = config.server.workers == 0 ? processors : config.server.workers;
  std::uint64_t addresses = 0;
  for (const Listener& listener : config.listeners) addresses += listener.addresses.size();
  return kDescriptorsOfSession * config.limits.sessions + kDescriptorsOfProcess +
         workers * (kDescriptorsOfWorker + addresses + service_connections(config));
}

void check_descriptors(const Config& config, const Environment& environment, Problems& problems) {
  if (environment.descriptor_limit == 0 || !problems.sound("limits.sessions") ||
      !problems.sound("server.workers"))
    return;
  const std::uint64_t needed = descriptors(config, environment.processors);
  if (environment.descriptor_limit >= needed) return;
  const std::string number = std::to_string(needed);
  problems.at_value("limits.sessions",
                    "limits.sessions = " + std::to_string(config.limits.sessions) + " needs " + number +
                        " file descriptors, and this process may open " +
                        std::to_string(environment.descriptor_limit) + "; set LimitNOFILE=" + number +
                        " (systemd) or \"ulimit -n " + number + "\", or allow fewer sessions");
}

bool user_exists(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(std::size_t{1} << 14, '\0');
  return getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

}  // namespace

void check_process(const Config& config, const Environment& environment, Problems& problems) {
  const std::string& user = config.server.user;
  if (environment.read_files && !user.empty() && problems.sound("server.user") && !user_exists(user)) {
    problems.at_value("server.user",
                      "server.user: this machine has no user " + problems.shown("server.user", user));
  }
  const std::string& target = config.log.target;
  if (problems.sound("log.target") && target != "stderr" && target != "syslog" && !target.starts_with('/')) {
    problems.at_value("log.target", "log.target must be stderr, syslog or the absolute path of a file, not " +
                                        problems.shown("log.target", target));
  }
  check_order("server.drain.spread", config.server.drain.spread, "server.drain.deadline",
              config.server.drain.deadline, problems);
  check_order("limits.failure_delay", config.limits.failure_delay, "limits.failure_delay_max",
              config.limits.failure_delay_max, problems);
  check_descriptors(config, environment, problems);
}

void check_order(const std::string& less, Duration a, const std::string& more, Duration b,
                 Problems& problems) {
  if (!problems.sound(less) || !problems.sound(more) || a <= b) return;
  const std::string less_text = less + " = " + quoted(print_duration(a)) + problems.line_of(less);
  const std::string more_text = more + " = " + quoted(print_duration(b)) + problems.line_of(more);
  if (problems.line_of(less).empty()) {
    problems.at_value(more,
                      more + " = " + quoted(print_duration(b)) + " must not be shorter than " + less_text);
  } else {
    problems.at_value(less,
                      less + " = " + quoted(print_duration(a)) + " must not be longer than " + more_text);
  }
}

}  // namespace postern::conf
