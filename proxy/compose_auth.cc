#include "proxy/compose_auth.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "proxy/tls/file.h"

namespace postern {

namespace {

// Verifying is slow on purpose: half of the processors, so that sessions keep theirs. A queue of a few
// hundred is some seconds of yescrypt; what is beyond it is told to come back.
constexpr std::size_t kVerifierQueue = 512;

// `FILE:LINE: what is wrong`, as the operator's own file has it.
void add_problems(const conf::Loaded& loaded, const std::string& path, const std::string& file,
                  const files::Problems& found, Problems& problems) {
  for (const files::Problem& problem : found) {
    const std::string line = problem.line == 0 ? "" : ":" + std::to_string(problem.line);
    problems.push_back(loaded.source.at(path, file + line + ": " + problem.text));
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
    add_problems(loaded, "auth.passwd_file", plan.passwd_file, file.error(), problems);
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

// Places that are not there are found before a user looks for them.
files::Problems missing_places(const route::MapFile& file, const std::vector<conf::Pool>& pools) {
  files::Problems problems;
  const std::vector<route::Place>& places = file.places();
  for (std::size_t i = 0; i < places.size() && problems.size() < files::kMaxProblems; ++i) {
    const route::Place& place = places[i];
    const auto pool = std::ranges::find(pools, place.pool, &conf::Pool::name);
    if (pool == pools.end()) {
      problems.push_back({file.line_of(i), "pool " + place.pool + " is not there"});
    } else if (!place.backend.empty() && std::ranges::find(pool->backends, place.backend,
                                                           &conf::Backend::name) == pool->backends.end()) {
      problems.push_back(
          {file.line_of(i), "backend " + place.backend + " of pool " + place.pool + " is not there"});
    }
  }
  return problems;
}

route::MapFile::Result load_map(const std::string& path, const std::vector<conf::Pool>& pools,
                                const std::stop_token& stop = {}) {
  auto file = route::MapFile::load(path, stop);
  if (!file) return file;
  if (auto problems = missing_places(**file, pools); !problems.empty()) {
    return std::unexpected(std::move(problems));
  }
  return file;
}

// The file as it was read before, if it has not changed: sessions that live on keep their snapshot, and each
// reload would keep another copy of a million users.
std::shared_ptr<route::CurrentMapFile> known_map(const Snapshot* previous, const conf::Map& map,
                                                 const std::vector<conf::Pool>& pools) {
  if (previous == nullptr) return nullptr;
  for (const MapPlan& plan : previous->maps) {
    if (!plan.file || plan.settings.name != map.name || plan.settings.file != map.file) continue;
    const auto known = plan.file->get();
    const bool same = files::FileState::of(map.file) == known->state();
    return same && missing_places(*known, pools).empty() ? plan.file : nullptr;
  }
  return nullptr;
}

}  // namespace

Secret read_secret(const conf::Loaded& loaded, const std::string& path, const std::string& file,
                   Problems& problems) {
  const auto content = tls::read_file(file);
  if (!content) {
    problems.push_back(loaded.source.at(path, content.error()));
    return {};
  }
  std::string_view secret = content->reveal();
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  if (secret.ends_with('\r')) secret.remove_suffix(1);
  if (secret.empty()) problems.push_back(loaded.source.at(path, file + " is empty"));
  return Secret(secret);
}

files::FileWatch::Load load_into(std::shared_ptr<route::CurrentMapFile> current,
                                 std::vector<conf::Pool> pools) {
  return [current = std::move(current), pools = std::move(pools)](
             const std::string& path,
             const std::stop_token& stop) -> std::expected<files::FileWatch::Content, files::Problems> {
    auto file = load_map(path, pools, stop);
    if (!file) return std::unexpected(std::move(file).error());
    return files::FileWatch::Content{.state = (*file)->state(),
                                     .users = (*file)->size(),
                                     .take = [current, read = *file] { current->replace(read); }};
  };
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

std::vector<MapPlan> make_maps(const conf::Loaded& loaded, const Snapshot* previous, Problems& problems) {
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
    plan.file = known_map(previous, map, loaded.config.pools);
    if (plan.file) continue;
    auto file = load_map(map.file, loaded.config.pools);
    if (file) {
      plan.file = std::make_shared<route::CurrentMapFile>(*std::move(file));
    } else {
      add_problems(loaded, conf::join(path, "file"), map.file, file.error(), problems);
    }
  }
  return plans;
}

}  // namespace postern
