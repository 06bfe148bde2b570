#include "proxy/rereader.h"

#include <utility>

#include "proxy/compose_auth.h"

namespace postern {

namespace {

constexpr std::chrono::seconds kStep{1};

}  // namespace

void Rereader::use(const conf::Config& config, const Snapshot& snapshot) {
  stop();
  watches_.clear();
  if (const AuthPlan& auth = snapshot.auth; auth.verifier) {
    watch("", auth.passwd_file, auth.passwd_state, auth::load_into(auth.verifier));
  }
  for (const MapPlan& map : snapshot.maps) {
    if (!map.file) continue;
    watch(map.settings.name, map.settings.file, map.file->get()->state(), load_into(map.file, config.pools));
  }
  if (!watches_.empty()) reactor_.timers().start(*this, reactor_.now() + kStep);
}

void Rereader::watch(const std::string& map, const std::string& path, const files::FileState& state,
                     files::FileWatch::Load load) {
  const bool passwd = map.empty();
  const auto loaded = [this, passwd, map, path](std::size_t users, Duration took) {
    log_.event(observe::Level::Info, passwd ? "passwd_reread" : "map_reread",
               {{"map", map},
                {"file", path},
                {"users", static_cast<std::uint64_t>(users)},
                {"ms", static_cast<std::uint64_t>(took.count())}});
  };
  const auto failed = [this, passwd, map, path](const files::Problems& problems) {
    log_.event(observe::Level::Error, passwd ? "passwd_refused" : "map_refused",
               {{"map", map}, {"file", path}, {"problems", to_string(problems)}});
  };
  watches_.push_back(std::make_unique<files::FileWatch>(path, state, std::move(load),
                                                        files::FileWatch::Report{loaded, failed}));
}

void Rereader::expired(Time now) {
  for (const auto& watch : watches_) watch->poll(now);
  reactor_.timers().start(*this, now + kStep);
}

}  // namespace postern
