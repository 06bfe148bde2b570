#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "conf/model.h"
#include "conf/source.h"

namespace postern::conf {

// The world that the loader looks at, so that a test can give another.
struct Environment {
  // A variable's value, or nullopt when it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::string host_name;               // the default of server.name
  std::uint64_t descriptor_limit = 0;  // RLIMIT_NOFILE's hard limit; 0: do not check
  bool read_files = true;   // certificates, keys and password files are opened, server.user is looked up
  unsigned processors = 1;  // what server.workers = 0 stands for when descriptors are counted

  static Environment real();
};

struct Loaded {
  Config config;
  Source source;  // for problems that only the rest of the program can find: source.at(path, message)
};

// Reads a whole configuration. On failure every problem that was found, in the file's order; never empty.
// `name` stands before each problem ("postern.toml").
std::expected<Loaded, std::vector<Diagnostic>> load(std::string_view text, const std::string& name,
                                                    const Environment& environment);
std::expected<Loaded, std::vector<Diagnostic>> load_file(const std::string& path,
                                                         const Environment& environment);

// The reference of all keys as Markdown, from the schema table.
std::string reference();

}  // namespace postern::conf
