#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "conf/loader.h"
#include "proxy/compose.h"
#include "proxy/explain.h"
#include "proxy/process.h"
#include "proxy/server.h"

namespace {

constexpr int kBadConfiguration = 2;

// What a subcommand looks at: read and composed as the proxy would, but nothing is started.
struct Composed {
  postern::conf::Loaded loaded;
  std::shared_ptr<const postern::Snapshot> snapshot;
};

// nullopt: the problems were printed.
std::optional<Composed> compose_file(const std::string& path) {
  auto loaded = postern::conf::load_file(path, postern::conf::Environment::real());
  if (!loaded) {
    std::fputs(postern::conf::to_string(loaded.error()).c_str(), stderr);
    return std::nullopt;
  }
  auto snapshot = postern::compose(*loaded, nullptr, nullptr, postern::Time{});
  if (!snapshot) {
    std::fputs(postern::conf::to_string(snapshot.error()).c_str(), stderr);
    return std::nullopt;
  }
  return Composed{std::move(*loaded), std::move(*snapshot)};
}

int check(const std::string& path) {
  const auto composed = compose_file(path);
  if (!composed) return kBadConfiguration;
  const postern::conf::Config& config = composed->loaded.config;
  std::printf("%s: %zu listeners, %zu routes, %zu pools: good\n", path.c_str(), config.listeners.size(),
              config.routes.size(), config.pools.size());
  return 0;
}

int route(const std::string& path, const postern::RouteQuestion& question, bool json) {
  const auto composed = compose_file(path);
  if (!composed) return kBadConfiguration;
  const postern::conf::Config& config = composed->loaded.config;
  const auto running = config.admin.http ? postern::ask_running(*config.admin.http) : std::nullopt;
  const auto explanation = postern::explain(config, *composed->snapshot, question, running);
  if (!explanation) {
    std::fprintf(stderr, "%s\n", explanation.error().c_str());
    return kBadConfiguration;
  }
  std::fputs((json ? postern::to_json(*explanation) : postern::to_text(*explanation)).c_str(), stdout);
  return explanation->fault == postern::Fault::None ? 0 : 1;
}

int run(const std::string& path) {
  auto server = postern::Server::create(
      {.config_path = path, .environment = postern::conf::Environment::real(), .version = POSTERN_VERSION});
  if (!server) {
    std::fputs(server.error().c_str(), stderr);
    return kBadConfiguration;
  }
  (*server)->run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  postern::keep_standard_streams();
  CLI::App app("Postern: a proxy and load balancer in front of IMAP and POP3 stores.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "postern " POSTERN_VERSION);
  std::string path = "/etc/postern/postern.toml";

  CLI::App* run_command = app.add_subcommand("run", "Run the proxy in the foreground");
  run_command->add_option("-c,--config", path, "The configuration file")->capture_default_str();
  CLI::App* check_command = app.add_subcommand(
      "check", "Check the configuration, its certificates and files; exit status 2 when it is bad");
  check_command->add_option("-c,--config", path, "The configuration file")->capture_default_str();

  postern::RouteQuestion question;
  bool json = false;
  CLI::App* route_command = app.add_subcommand(
      "route",
      "Show where a user would go, and why; changes nothing. Exit status 1: the login would be refused");
  route_command->add_option("user", question.user, "The user's name, as the client gives it")->required();
  route_command->add_option("-c,--config", path, "The configuration file")->capture_default_str();
  route_command->add_option("--listener", question.listener, "The listener; default: the first");
  route_command->add_option("--server-name", question.server_name,
                            "The name that the client asks for by SNI");
  route_command->add_flag("--json", json, "One JSON object");

  CLI11_PARSE(app, argc, argv);
  if (*route_command) return route(path, question, json);
  return *check_command ? check(path) : run(path);
}
