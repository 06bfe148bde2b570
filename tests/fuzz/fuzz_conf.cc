#include <algorithm>
#include <cstdint>
#include <string>

#include "conf/loader.h"
#include "conf/quantity.h"
#include "conf/substitute.h"
#include "tests/fuzz/require.h"

using namespace postern;
using fuzz::require;

namespace {

std::optional<std::string> variable(const std::string& name) {
  if (name.size() % 2 == 0) return std::nullopt;
  return name;
}

// Whatever is read is in its range, and is read back from its printed form.
void check_quantities(std::string_view text) {
  if (const auto duration = conf::parse_duration(text)) {
    require(duration->count() >= 0, "a duration is not negative");
    require(conf::parse_duration(conf::print_duration(*duration)) == duration,
            "a duration is read back the same");
  }
  if (const auto size = conf::parse_size(text)) {
    require(conf::parse_size(conf::print_size(*size)) == size, "a size is read back the same");
  }
  const auto substituted = conf::substitute(text, variable);
  if (text.find('$') == std::string_view::npos)
    require(substituted == std::string(text), "no dollar, no change");
  if (!substituted) require(conf::has_variable(text), "only a variable can be missing");
}

// A problem has its place in the file, and problems are in the file's order.
void check_problems(const std::vector<conf::Diagnostic>& problems, std::string_view text) {
  require(!problems.empty(), "a refused file has a problem");
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 2;
  unsigned line = 0;
  for (const conf::Diagnostic& problem : problems) {
    require(problem.line >= line && problem.line <= lines, "problems are in the file, in its order");
    require(problem.line == 0 || problem.column > 0, "a line comes with a column");
    require(!problem.message.empty(), "a problem has words");
    const std::string shown = problem.to_string();
    const auto unseen = [](char octet) {
      return static_cast<unsigned char>(octet) < 0x20 && octet != '\n' && octet != '\t';
    };
    require(std::none_of(shown.begin(), shown.end(), unseen), "a terminal sees no control character");
    line = problem.line;
  }
}

void check_config(const conf::Config& config) {
  require(!config.server.name.empty(), "the server has a name");
  require(!config.listeners.empty() && !config.pools.empty(), "there are listeners and pools");
  for (const conf::Listener& listener : config.listeners)
    require(!listener.addresses.empty(), "a listener has an address");
  for (const conf::Pool& pool : config.pools) {
    require(!pool.backends.empty(), "a pool has a backend");
    require(pool.imap_port != 0 && pool.pop3_port != 0, "a pool has ports");
    for (const conf::Backend& backend : pool.backends) require(!backend.host.empty(), "a backend has a host");
  }
  for (const conf::Route& route : config.routes) {
    const auto named = [&route](const conf::Pool& pool) { return pool.name == route.pool; };
    require(std::any_of(config.pools.begin(), config.pools.end(), named), "a route has a pool");
  }
}

}  // namespace

// A configuration is complete, or every problem has a place and words.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_quantities(text);

  conf::Environment environment;
  environment.variable = variable;
  environment.read_files = false;
  const auto loaded = conf::load(text, "postern.toml", environment);
  if (loaded) {
    check_config(loaded->config);
  } else {
    check_problems(loaded.error(), text);
  }
  return 0;
}
