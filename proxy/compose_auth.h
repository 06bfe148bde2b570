#pragma once

#include <string>
#include <vector>

#include "conf/loader.h"
#include "proxy/files/file_watch.h"
#include "proxy/snapshot.h"

namespace postern {

// What compose() needs of users: the sources, the policy service and the maps. Every problem that is found is
// added.
using Problems = std::vector<conf::Diagnostic>;

// The verifier of `previous` goes on when its file has the same name, and takes what the file says now.
AuthPlan make_auth(const conf::Loaded& loaded, const Snapshot* previous, Problems& problems);
std::vector<MapPlan> make_maps(const conf::Loaded& loaded, const Snapshot* previous, Problems& problems);

// For the watch over the file of a map: a place that is none of `pools` is a problem of the file.
files::FileWatch::Load load_into(std::shared_ptr<route::CurrentMapFile> current,
                                 std::vector<conf::Pool> pools);

// A file that holds one secret; a line break at its end is not part of it. `path` is the key that names it.
Secret read_secret(const conf::Loaded& loaded, const std::string& path, const std::string& file,
                   Problems& problems);

}  // namespace postern
