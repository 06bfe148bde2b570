#pragma once

#include <memory>
#include <vector>

#include "conf/model.h"
#include "proxy/files/file_watch.h"
#include "proxy/net/reactor.h"
#include "proxy/observe/log.h"
#include "proxy/snapshot.h"

namespace postern {

// Rereads the files of users when they have changed: the password file, and those of maps. Says so in the
// log.
class Rereader final : private net::Timer {
 public:
  Rereader(net::Reactor& reactor, observe::Log& log) : reactor_(reactor), log_(log) {}
  Rereader(const Rereader&) = delete;
  Rereader& operator=(const Rereader&) = delete;

  // The files of this snapshot from now on.
  void use(const conf::Config& config, const Snapshot& snapshot);

 private:
  void expired(Time now) override;
  // `map` is empty for the password file.
  void watch(const std::string& map, const std::string& path, const files::FileState& state,
             files::FileWatch::Load load);

  net::Reactor& reactor_;
  observe::Log& log_;
  std::vector<std::unique_ptr<files::FileWatch>> watches_;
};

}  // namespace postern
