#include "proxy/compose_auth.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

namespace postern {

namespace {

// Verifying is slow on purpose: half of the processors, so that sessions keep theirs. A queue of a few
// hundred is some seconds of yescrypt; what is beyond it is told to come back.
constexpr std::size_t kVerifierQueue = 512;

// `FILE:LINE: what is wrong`, as the operator's own file has it.
template <typename Errors>
void add_errors(const conf::Loaded& loaded, const std::string& path, const std::string& file,
                const Errors& errors, Problems& problems) {
  for (const auto& error : errors) {
    const std::string line = error.line == 0 ? "" : ":" + std::to_string(error.line);
    problems.push_back(loaded.source.at(path, file + line + ": " + error.text));
  }
}

std::shared_ptr<tls::ClientContext> client_tls(const conf::Loaded& loaded, const std::string& path,
                                               const tls::ClientSettings& settings, Problems& problems) {
  auto context = tls::ClientContext::create(settings);
  if (context) return *context;
  problems.push_back(loaded.source.at(path, context.error()));
  return nullptr;
}

void make_passwd(const conf::Loaded& loaded, const Snapshot* previous, AuthPlan& plan, Problems& problems) {
  auto file = auth::PasswdFile::load(plan.passwd_file);
  if (!file) {
    add_errors(loaded, "auth.passwd_file", plan.passwd_file, file.error(), problems);
    return;
  }
  plan.passwd_state = (*file)->state();
  // The file is read again whenever it changes, so a reload that is refused later may as well have read it.
  if (previous != nullptr && previous->auth.verifier && previous->auth.passwd_file == plan.passwd_file) {
    plan.verifier = previous->auth.verifier;
    plan.verifier->replace(std::move(*file));
    return;
  }
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency() / 2);
  plan.verifier = std::make_shared<auth::Verifier>(threads, kVerifierQueue, std::move(*file));
}

// A place that is not there is found before a user looks for it.
void check_places(const conf::Loaded& loaded, const conf::Map& map, const route::MapFile& file,
                  Problems& problems) {
  for (const route::Place& place : file.places()) {
    const auto& pools = loaded.config.pools;
    const auto pool = std::ranges::find(pools, place.pool, &conf::Pool::name);
    if (pool == pools.end()) {
      problems.push_back(loaded.source.at(conf::join(conf::join("map", map.name), "file"),
                                          map.file + " names pool " + place.pool + ", which is not there"));
    } else if (!place.backend.empty() && std::ranges::find(pool->backends, place.backend,
                                                           &conf::Backend::name) == pool->backends.end()) {
      problems.push_back(loaded.source.at(
          conf::join(conf::join("map", map.name), "file"),
          map.file + " names backend " + place.backend + " of pool " + place.pool + ", which is not there"));
    }
  }
}

}  // namespace

Secret read_secret(const conf::Loaded& loaded, const std::string& path, const std::string& file,
                   Problems& problems) {
  std::ifstream stream(file, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream) problems.push_back(loaded.source.at(path, "cannot read " + file));
  std::string_view secret = bytes;
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  if (secret.ends_with('\r')) secret.remove_suffix(1);
  if (stream && secret.empty()) problems.push_back(loaded.source.at(path, file + " is empty"));
  Secret result(secret);
  wipe(bytes.data(), bytes.size());
  return result;
}

AuthPlan make_auth(const conf::Loaded& loaded, const Snapshot* previous, Problems& problems) {
  AuthPlan plan;
  static_cast<conf::Auth&>(plan) = loaded.config.auth;
  if (plan.by == conf::AuthBy::Passwd) make_passwd(loaded, previous, plan, problems);
  if (plan.http && plan.http->url.tls) {
    plan.http_tls =
        client_tls(loaded, "auth.http.ca_file", {.ca_file = plan.http->ca_file, .verify = true}, problems);
  }
  if (plan.policy && plan.policy->url.tls) {
    plan.policy_tls = client_tls(loaded, "auth.policy.ca_file",
                                 {.ca_file = plan.policy->ca_file, .verify = true}, problems);
  }
  if (plan.policy && !plan.policy->key_file.empty()) {
    plan.policy_key = read_secret(loaded, "auth.policy.key_file", plan.policy->key_file, problems);
  }
  // A source may say how its store is reached, whether that is a member of a pool or not.
  if (plan.by == conf::AuthBy::Http || plan.by == conf::AuthBy::Dovecot) {
    plan.foreign_tls = client_tls(loaded, "auth.by", {.ca_file = "", .verify = true}, problems);
    plan.foreign_tls_unverified = client_tls(loaded, "auth.by", {.ca_file = "", .verify = false}, problems);
  }
  return plan;
}

std::vector<MapPlan> make_maps(const conf::Loaded& loaded, Problems& problems) {
  std::vector<MapPlan> plans;
  plans.reserve(loaded.config.maps.size());
  for (const conf::Map& map : loaded.config.maps) {
    MapPlan& plan = plans.emplace_back();
    plan.settings = map;
    const std::string path = conf::join("map", map.name);
    if (map.redis) {
      if (!map.redis->password_file.empty()) {
        plan.redis_password =
            read_secret(loaded, conf::join(path, "redis.password_file"), map.redis->password_file, problems);
      }
      continue;
    }
    auto file = route::MapFile::load(map.file);
    if (file) {
      plan.file = *file;
      check_places(loaded, map, **file, problems);
    } else {
      add_errors(loaded, conf::join(path, "file"), map.file, file.error(), problems);
    }
  }
  return plans;
}

}  // namespace postern
