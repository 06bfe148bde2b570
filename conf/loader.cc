#include "conf/loader.h"

#include <toml++/toml.h>
#include <utility>

#include "conf/checks.h"
#include "conf/file.h"
#include "conf/problems.h"
#include "conf/reader.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;
constexpr std::uint16_t kImapsPort = 993;
constexpr std::uint16_t kPop3sPort = 995;

// The defaults that depend on something else.
void complete(Config& config, const Source& source, const Environment& environment) {
  if (config.server.name.empty()) config.server.name = environment.host_name;
  if (config.server.name.empty()) config.server.name = "localhost";
  for (Pool& pool : config.pools) {
    if (pool.tls != StoreTls::Implicit) continue;
    const std::string path = join("pool", pool.name);
    if (!source.has(path + ".imap_port")) pool.imap_port = kImapsPort;
    if (!source.has(path + ".pop3_port")) pool.pop3_port = kPop3sPort;
  }
}

}  // namespace

std::expected<Loaded, std::vector<Diagnostic>> load(std::string_view text, const std::string& name,
                                                    const Environment& environment) {
  Loaded loaded{Config(), Source(name, text)};
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    const toml::source_position begin = error.source().begin;
    Diagnostic problem = loaded.source.at(Position{begin.line, begin.column}, "");
    problem.message = syntax_error(error.description(), problem.source);
    return std::unexpected(std::vector{std::move(problem)});
  }
  Problems problems(loaded.source);
  Reader(environment.variable, loaded.config, loaded.source, problems).read(root);
  check_listeners(loaded.config, problems);
  check_routes(loaded.config, problems);
  check_pools(loaded.config, problems);
  check_auth(loaded.config, problems);
  check_maps(loaded.config, problems);
  check_process(loaded.config, environment, problems);
  if (environment.read_files) check_files(loaded.config, problems);
  std::vector<Diagnostic> found = problems.take();
  if (!found.empty()) return std::unexpected(std::move(found));
  complete(loaded.config, loaded.source, environment);
  return loaded;
}

std::expected<Loaded, std::vector<Diagnostic>> load_file(const std::string& path,
                                                         const Environment& environment) {
  const std::expected<std::string, std::string> text = read_file(path, kLargestFile);
  if (text) return load(*text, path, environment);
  return std::unexpected(std::vector{Source(path, "").at(Position{}, "cannot be read: " + text.error())});
}

}  // namespace postern::conf
