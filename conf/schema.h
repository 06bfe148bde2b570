#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/model.h"

namespace postern::conf {

enum class Kind : std::uint8_t {
  Text,
  Host,  // an address without a port, or a host name
  File,  // a path; what the file must hold is checked in check_files.cc
  Flag,
  Integer,
  Period,
  Bytes,
  OneOf,   // one of `words`
  SomeOf,  // a list of `words`, each at most once
  EndpointOrNone,
  Endpoints,
  Networks,
  Url,
  Service,  // "HOST:PORT", or the path of a UNIX socket
  Headers,  // a table: names of HTTP headers and their values
  Refused,  // known, and not in this version: only the empty string may be written, and only where it is the
            // default
};

struct Type {
  Kind kind;
  std::uint64_t min = 0;  // Integer as it is, Period in milliseconds, Bytes
  std::uint64_t max = 0;
  std::span<const std::string_view> words;    // in the order of the model's enumerators
  std::span<const std::string_view> refused;  // words that are known, and not in this version
};

// A value that was read and checked by its Type; the member that belongs to the Kind is set.
struct Value {
  std::string text;          // Service: the path, or the host
  std::uint64_t number = 0;  // Integer, Bytes; the index of OneOf; the port of Service
  Duration duration{0};
  bool flag = false;
  std::vector<std::size_t> choices;
  std::vector<Endpoint> endpoints;
  std::vector<Network> networks;
  Url url;
  std::vector<std::pair<std::string, std::string>> pairs;  // Headers

  // The ranges in the schema keep these exact.
  unsigned count() const { return static_cast<unsigned>(number); }
  std::uint16_t port() const { return static_cast<std::uint16_t>(number); }
  template <typename Enum>
  Enum choice() const {
    return static_cast<Enum>(number);
  }
};

// A key that has no default and must be written.
inline constexpr std::string_view kRequired = "required";

struct Row {
  std::string_view table;  // the path of its Section
  std::string_view key;
  Type type;
  std::string_view fallback;  // the default as TOML; kRequired; empty: none
  std::string_view help;
  // Puts the value where it belongs: into the element that Section::open made last.
  void (*set)(Config& config, const Value& value);
};

// A table of the file. In its path "*" is a name of the operator's choice and "[]" an element of a list:
// "server.drain", "listen.*", "tls.certificates[]", "pool.*.backends.*".
struct Section {
  std::string_view path;
  std::string_view help;
  // Makes the element; for a plain table: makes the optional part of the model that it fills.
  void (*open)(Config& config, std::string_view name) = nullptr;
  std::string_view shorthand = {};  // the key that a string in the table's place stands for
};

std::span<const Section> sections();
std::span<const Row> rows();

const Section* find_section(std::string_view path);
const Row* find_row(std::string_view table, std::string_view key);

}  // namespace postern::conf
