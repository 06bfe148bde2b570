#include "tests/unit/conf/base.h"

#include <doctest/doctest.h>

namespace postern::conf {
namespace {

struct Block {
  std::string_view begins;  // whoever writes this brings the block along
  std::string_view text;
};

constexpr Block kBlocks[] = {
    {"[tls", "[tls]\ncertificates = [{ chain = \"tls.crt\", key = \"tls.key\" }]\n"},
    {"[listen", "[listen.imaps]\nprotocol = \"imap\"\naddress = [\"0.0.0.0:993\"]\n"},
    {"[[route", "[[route]]\npool = \"store\"\n"},
    {"[pool", "[pool.store.backends]\ns1 = \"10.1.0.11\"\n"},
};

}  // namespace

Environment bare_environment() {
  Environment environment;
  environment.variable = [](const std::string&) { return std::nullopt; };
  environment.host_name = "host.example";
  environment.read_files = false;
  return environment;
}

std::string completed(std::string_view text) {
  std::string whole(text);
  if (text.find("# alone") != std::string_view::npos) return whole;
  if (!whole.empty() && !whole.ends_with('\n')) whole += '\n';
  for (const Block& block : kBlocks) {
    if (text.find(block.begins) == std::string_view::npos) whole += block.text;
  }
  return whole;
}

std::string problems_of(std::string_view text, const Environment& environment) {
  const auto loaded = load(completed(text), "postern.toml", environment);
  return loaded ? "" : to_string(loaded.error());
}

Config config_of(std::string_view text, const Environment& environment) {
  auto loaded = load(completed(text), "postern.toml", environment);
  if (!loaded) FAIL(to_string(loaded.error()));
  return loaded ? loaded->config : Config();
}

}  // namespace postern::conf
