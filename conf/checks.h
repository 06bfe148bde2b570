#pragma once

#include <string>

#include "conf/loader.h"
#include "conf/model.h"
#include "conf/problems.h"

// What a single value does not show. Each looks only at what is sound so far.

namespace postern::conf {

void check_listeners(const Config& config, Problems& problems);
void check_routes(const Config& config, Problems& problems);
void check_pools(const Config& config, Problems& problems);
void check_auth(const Config& config, Problems& problems);
void check_maps(const Config& config, Problems& problems);
void check_process(const Config& config, const Environment& environment,
                   Problems& problems);  // server, log, limits
void check_files(const Config& config, Problems& problems);

// Two durations of which the first must not be the longer; the paths are theirs. Said where one is written.
void check_order(const std::string& less, Duration a, const std::string& more, Duration b,
                 Problems& problems);

}  // namespace postern::conf
