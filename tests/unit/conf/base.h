#pragma once

#include <string>
#include <string_view>

#include "conf/loader.h"

namespace postern::conf {

// Nothing of this machine: no variable, no file, no limit; the host is "host.example".
Environment bare_environment();

// `text` and, behind it, what a complete configuration needs and `text` does not have: a certificate, the
// listener imaps, a route to the pool store, and the pool with the backend s1. A line "# alone" in `text`
// keeps all of them away.
std::string completed(std::string_view text);

// The problems of a completed text as one text, "" when it is good.
std::string problems_of(std::string_view text, const Environment& environment = bare_environment());

// The configuration; the test fails when there is a problem.
Config config_of(std::string_view text, const Environment& environment = bare_environment());

}  // namespace postern::conf
