#include <string>
#include <string_view>

#include "conf/loader.h"
#include "conf/quantity.h"
#include "conf/schema.h"

namespace postern::conf {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

// `[[route]]`, `[pool.NAME.time]`
std::string header(std::string_view pattern) {
  std::string name;
  for (const char octet : pattern) {
    if (octet == '*') {
      name += "NAME";
    } else if (octet != '[' && octet != ']') {
      name += octet;
    }
  }
  return pattern.ends_with("[]") ? "[[" + name + "]]" : "[" + name + "]";
}

std::string words(const Type& type) {
  std::string all;
  for (const std::string_view word : type.words) {
    if (!all.empty()) all += ", ";
    all += code("\"" + std::string(word) + "\"");
  }
  return all;
}

std::string describe(const Type& type) {
  switch (type.kind) {
    case Kind::Text:
      return "string";
    case Kind::Host:
      return "address or host name";
    case Kind::File:
      return "file";
    case Kind::Flag:
      return "true or false";
    case Kind::Integer:
      return "integer, " + std::to_string(type.min) + " to " + std::to_string(type.max);
    case Kind::Period:
      return "duration, " + print_duration(Duration(type.min)) + " to " + print_duration(Duration(type.max));
    case Kind::Bytes:
      return "size, " + print_size(type.min) + " to " + print_size(type.max);
    case Kind::OneOf:
      return "one of " + words(type);
    case Kind::SomeOf:
      return "list of " + words(type);
    case Kind::EndpointOrNone:
      return "address with port";
    case Kind::Endpoints:
      return "list of addresses with ports";
    case Kind::Networks:
      return "list of networks";
    case Kind::Url:
      return "URL";
    case Kind::Service:
      return "`HOST:PORT` or the path of a UNIX socket";
    case Kind::Headers:
      return "table of headers";
    case Kind::Refused:
      return "";
  }
  return "";
}

std::string fallback(const Row& row) {
  if (row.fallback == kRequired) return "required";
  return row.fallback.empty() ? "none" : code(row.fallback);
}

std::string table(const Section& section) {
  std::string text = "\n## " + code(header(section.path)) + "\n\n" + std::string(section.help) + "\n\n";
  text += "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const Row& row : rows()) {
    if (row.table != section.path || row.type.kind == Kind::Refused) continue;
    text += "| " + code(row.key) + " | " + describe(row.type) + " | " + fallback(row) + " | " +
            std::string(row.help) + " |\n";
  }
  return text;
}

std::string refusals() {
  std::string text =
      "\n## Refused by this version\n\nThese keys and values are known and have no part in this version. "
      "Whoever "
      "writes them gets an error.\n\n| key | value | meaning |\n|---|---|---|\n";
  for (const Row& row : rows()) {
    const std::string key = code(header(row.table) + " " + std::string(row.key));
    if (row.type.kind == Kind::Refused) {
      const bool empty = row.fallback == "\"\"";
      text += "| " + key + " | " + (empty ? "anything but `\"\"`" : "anything") + " | " +
              std::string(row.help) + " |\n";
    }
    for (const std::string_view word : row.type.refused)
      text += "| " + key + " | " + code("\"" + std::string(word) + "\"") + " | |\n";
  }
  return text;
}

}  // namespace

std::string reference() {
  std::string text =
      "# Configuration reference\n\n"
      "Made from the schema (`conf/schema.cc`) by the program `postern_reference`. `conf/postern.toml` shows "
      "every "
      "key in its place.\n\n"
      "- The file is TOML 1.0. An unknown key, a bad value and a contradiction are errors; all are reported "
      "at once.\n"
      "- A duration is a string of a whole number and one of `ms`, `s`, `m`, `h`: `\"250ms\"`, `\"30s\"`.\n"
      "- A size is a string of a whole number, alone or with one of `B`, `KiB`, `MiB`, `GiB`: `\"4096\"`, "
      "`\"64KiB\"`.\n"
      "- A network is in CIDR form: `\"10.0.0.0/8\"`, `\"2001:db8::/32\"`; a lone address is a network of "
      "one.\n"
      "- In any string, `${NAME}` is the value of an environment variable, which must be set, and "
      "`${NAME:-default}` has a text for when it is not set or empty. `$$` is a dollar sign. An integer, or "
      "true or "
      "false, may be a string when it is taken from the environment: `workers = \"${WORKERS:-0}\"`.\n"
      "- A name of a listener, map, pool or backend has 1 to 64 letters, digits, `-`, `_` or `.`.\n";
  for (const Section& section : sections()) text += table(section);
  return text + refusals();
}

}  // namespace postern::conf
