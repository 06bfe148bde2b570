#include "conf/value_reader.h"

#include <algorithm>
#include <expected>
#include <sys/un.h>
#include <utility>
#include <vector>

#include "conf/authority.h"
#include "conf/entries.h"
#include "conf/header.h"
#include "conf/host.h"
#include "conf/quantity.h"
#include "conf/suggest.h"
#include "conf/url.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;

bool is_list(Kind kind) { return kind == Kind::SomeOf || kind == Kind::Endpoints || kind == Kind::Networks; }

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char octet) { return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f; });
}

std::string expectation(const Type& type) {
  switch (type.kind) {
    case Kind::Flag:
      return "true or false";
    case Kind::Integer:
      return "an integer";
    case Kind::Period:
      return "a duration such as \"30s\"";
    case Kind::Bytes:
      return "a size such as \"64KiB\"";
    case Kind::SomeOf:
      return "a list of strings, such as [" + quoted(type.words.front()) + "]";
    case Kind::Endpoints:
      return "a list of strings, such as [\"0.0.0.0:993\"]";
    case Kind::Networks:
      return "a list of strings, such as [\"10.0.0.0/8\"]";
    case Kind::Headers:
      return "a table of strings, such as { X-Key = \"value\" }";
    default:
      return "a string";
  }
}

std::string range(const Type& type) {
  const auto show = [&type](std::uint64_t number) {
    if (type.kind == Kind::Period) return print_duration(Duration(number));
    if (type.kind == Kind::Bytes) return print_size(number);
    return std::to_string(number);
  };
  return "must be from " + show(type.min) + " to " + show(type.max);
}

}  // namespace

std::optional<Value> ValueReader::read(const Row& row, const std::string& path, const toml::node& node) {
  const Item item{row, path, node};
  if (row.type.kind == Kind::Refused) return refused(item);
  if (row.type.kind == Kind::Headers) return headers(item);
  if (!is_list(row.type.kind)) return scalar(item);
  if (const toml::array* array = node.as_array()) return elements(item, *array);
  return fail(item, "must be " + expectation(row.type) + ", not " + describe(node));
}

ValueReader::Answer ValueReader::scalar(const Item& item) {
  const Type& type = item.row.type;
  const auto* string = item.node.as_string();
  if (string == nullptr) return not_a_string(item);
  const bool plain = type.kind == Kind::Integer || type.kind == Kind::Flag;
  if (plain && !has_variable(string->get())) return not_a_string(item);

  if (has_variable(string->get())) source_.mark_written(item.path, string->get());
  std::expected<std::string, std::string> written = substitute(string->get(), variables_);
  if (!written) return fail(item, "cannot be read: " + written.error());
  if (has_control(*written))
    return fail(item, "must not have a control character in it: " + shown(item, *written));
  if (written->empty()) {
    if (item.row.fallback != "\"\"" && type.kind != Kind::EndpointOrNone)
      return fail(item, "must not be empty");
    return Value{};
  }
  switch (type.kind) {
    case Kind::Flag:
      return flag(item, *written);
    case Kind::Integer:
      return number(item, *written);
    case Kind::Period:
      return duration(item, *written);
    case Kind::Bytes:
      return size(item, *written);
    case Kind::OneOf:
    case Kind::SomeOf:
      return choice(item, *written);
    case Kind::EndpointOrNone:
    case Kind::Endpoints:
      return endpoint(item, *written);
    case Kind::Networks:
      return network(item, *written);
    case Kind::Host:
      return host(item, *std::move(written));
    case Kind::Url:
      return url(item, *written);
    case Kind::Service:
      return service(item, *written);
    default:
      return text(item, *std::move(written));
  }
}

ValueReader::Answer ValueReader::text(const Item&, std::string written) {
  Value value;
  value.text = std::move(written);
  return value;
}

ValueReader::Answer ValueReader::number(const Item& item, const std::string& written) {
  const std::optional<std::uint64_t> number = parse_number(written);
  if (!number) return fail(item, "must be an integer, not " + shown(item, written));
  return integer_in_range(item, static_cast<std::int64_t>(*number));
}

ValueReader::Answer ValueReader::integer_in_range(const Item& item, std::int64_t number) {
  const Type& type = item.row.type;
  if (number < 0 || static_cast<std::uint64_t>(number) < type.min ||
      static_cast<std::uint64_t>(number) > type.max) {
    const std::string written = std::to_string(number);
    return fail(item, range(type) + ", not " + (item.node.is_string() ? shown(item, written) : written));
  }
  Value value;
  value.number = static_cast<std::uint64_t>(number);
  return value;
}

ValueReader::Answer ValueReader::flag(const Item& item, const std::string& written) {
  if (written != "true" && written != "false")
    return fail(item, "must be true or false, not " + shown(item, written));
  Value value;
  value.flag = written == "true";
  return value;
}

ValueReader::Answer ValueReader::duration(const Item& item, const std::string& written) {
  const std::optional<Duration> duration = parse_duration(written);
  if (!duration) {
    return fail(
        item, "must be a whole number and one of ms, s, m, h, such as \"30s\", not " + shown(item, written));
  }
  const auto milliseconds = static_cast<std::uint64_t>(duration->count());
  if (milliseconds < item.row.type.min || milliseconds > item.row.type.max) {
    return fail(item, range(item.row.type) + ", not " + shown(item, written));
  }
  Value value;
  value.duration = *duration;
  return value;
}

ValueReader::Answer ValueReader::size(const Item& item, const std::string& written) {
  const std::optional<std::uint64_t> bytes = parse_size(written);
  if (!bytes) {
    return fail(item, "must be a whole number and one of B, KiB, MiB, GiB, such as \"64KiB\", not " +
                          shown(item, written));
  }
  if (*bytes < item.row.type.min || *bytes > item.row.type.max) {
    return fail(item, range(item.row.type) + ", not " + shown(item, written));
  }
  Value value;
  value.number = *bytes;
  return value;
}

ValueReader::Answer ValueReader::choice(const Item& item, const std::string& written) {
  const Type& type = item.row.type;
  const auto word = std::find(type.words.begin(), type.words.end(), written);
  if (word != type.words.end()) {
    Value value;
    value.number = static_cast<std::uint64_t>(word - type.words.begin());
    return value;
  }
  if (std::find(type.refused.begin(), type.refused.end(), written) != type.refused.end()) {
    return fail(item, "= " + shown(item, written) +
                          " is not supported by this version; supported: " + list(type.words));
  }
  const std::vector<std::string> candidates(type.words.begin(), type.words.end());
  return fail(item, "must be one of " + list(type.words) + ", not " + shown(item, written) +
                        did_you_mean(written, candidates));
}

ValueReader::Answer ValueReader::endpoint(const Item& item, const std::string& written) {
  const std::optional<Endpoint> endpoint = Endpoint::parse(written);
  if (!endpoint) {
    return fail(item, "must be an address with a port, such as \"0.0.0.0:993\" or \"[::]:993\", not " +
                          shown(item, written));
  }
  if (endpoint->port == 0) return fail(item, "must have a port from 1 to 65535, not " + shown(item, written));
  Value value;
  value.endpoints.push_back(*endpoint);
  return value;
}

ValueReader::Answer ValueReader::network(const Item& item, const std::string& written) {
  const std::optional<Network> network = Network::parse(written);
  if (!network) {
    return fail(item,
                "must be a network such as \"10.0.0.0/8\" or \"2001:db8::/32\", not " + shown(item, written));
  }
  Value value;
  value.networks.push_back(*network);
  return value;
}

ValueReader::Answer ValueReader::host(const Item& item, std::string written) {
  if (const std::optional<std::string> wrong = problem_of_host(written)) {
    return fail(item, "must be an address or a host name, not " + shown(item, written) + ": " + *wrong);
  }
  return text(item, std::move(written));
}

ValueReader::Answer ValueReader::url(const Item& item, const std::string& written) {
  std::expected<Url, std::string> url = parse_url(written);
  if (!url) {
    return fail(item, "must be a URL such as \"http://127.0.0.1:9001/auth\", not " + shown(item, written) +
                          ": " + url.error());
  }
  Value value;
  value.url = *std::move(url);
  return value;
}

ValueReader::Answer ValueReader::service(const Item& item, const std::string& written) {
  if (written.starts_with('/')) {
    if (written.size() <= kLongestSocketPath) return text(item, written);
    return fail(item, "has " + std::to_string(written.size()) +
                          " octets; the path of a UNIX socket has at most " +
                          std::to_string(kLongestSocketPath));
  }
  std::expected<Authority, std::string> authority = parse_authority(written);
  if (authority && !authority->port) authority = std::unexpected("the port is missing");
  if (!authority) {
    return fail(item,
                "must be the path of a UNIX socket, such as \"/run/service.sock\", or \"HOST:PORT\", "
                "not " +
                    shown(item, written) + ": " + authority.error());
  }
  Value value;
  value.text = std::move(authority->host);
  value.number = *authority->port;
  return value;
}

ValueReader::Answer ValueReader::headers(const Item& item) {
  const toml::table* table = item.node.as_table();
  if (table == nullptr)
    return fail(item, "must be " + expectation(item.row.type) + ", not " + describe(item.node));
  Value all;
  bool good = true;
  for (const Entry& entry : in_file_order(*table)) {
    const std::string name(entry.key->str());
    const std::string path = join(item.path, name);
    source_.mark(path, position_of(entry.key->source()), position_of(entry.node->source()));
    std::optional<std::string> wrong = problem_of_header(name);
    for (const auto& [other, content] : all.pairs) {
      if (same_header(other, name)) wrong = "it is there already, as " + quoted(other);
    }
    if (wrong) {
      problems_.at_key(path, without_indexes(item.path) + " cannot have " + quoted(name) + ": " + *wrong);
      good = false;
    } else if (entry.node->is_string()) {
      Answer content = scalar({item.row, path, *entry.node});
      good = good && content.has_value();
      if (content) all.pairs.emplace_back(name, std::move(content->text));
    } else {
      fail({item.row, path, *entry.node}, "must be a string, not " + describe(*entry.node));
      good = false;
    }
  }
  return good ? Answer(std::move(all)) : std::nullopt;
}

ValueReader::Answer ValueReader::not_a_string(const Item& item) {
  const Type& type = item.row.type;
  const auto* integer = item.node.as_integer();
  const auto* boolean = item.node.as_boolean();
  if (type.kind == Kind::Integer && integer != nullptr) return integer_in_range(item, integer->get());
  if (type.kind == Kind::Flag && boolean != nullptr) {
    Value value;
    value.flag = boolean->get();
    return value;
  }
  std::string hint;
  if (integer != nullptr && type.kind == Kind::Period) {
    hint = "; did you mean \"" + std::to_string(integer->get()) + "s\"?";
  } else if (integer != nullptr && type.kind == Kind::Bytes) {
    hint = "; bytes are written \"" + std::to_string(integer->get()) + "\"";
  }
  return fail(item, "must be " + expectation(type) + ", not " + describe(item.node) + hint);
}

ValueReader::Answer ValueReader::elements(const Item& item, const toml::array& array) {
  Value all;
  std::vector<std::string> seen;
  bool good = true;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const toml::node& node = array[i];
    const std::string path = element(item.path, i);
    const Position position = position_of(node.source());
    source_.mark(path, position, position);
    const Item one{item.row, path, node};
    if (!node.is_string()) {
      fail(one, "must be " + expectation(item.row.type) + ", not " + describe(node));
      good = false;
      continue;
    }
    Answer value = scalar(one);
    if (!value) {
      good = false;
      continue;
    }
    const bool repeated =
        item.row.type.kind == Kind::SomeOf &&
        std::find(all.choices.begin(), all.choices.end(), value->number) != all.choices.end();
    if (repeated) {
      fail(one, "has " + describe(node) + " twice");
      good = false;
      continue;
    }
    if (item.row.type.kind == Kind::SomeOf) {
      source_.mark(join(item.path, item.row.type.words[value->number]), position, position);
    }
    all.choices.push_back(static_cast<std::size_t>(value->number));
    all.endpoints.insert(all.endpoints.end(), value->endpoints.begin(), value->endpoints.end());
    all.networks.insert(all.networks.end(), value->networks.begin(), value->networks.end());
  }
  return good ? Answer(std::move(all)) : std::nullopt;
}

ValueReader::Answer ValueReader::refused(const Item& item) {
  const auto* string = item.node.as_string();
  const bool may_be_empty = item.row.fallback == "\"\"";
  if (may_be_empty && string != nullptr && string->get().empty()) return Value{};
  return fail(item, std::string("is not supported by this version; ") +
                        (may_be_empty ? "leave it empty" : "leave it out"));
}

std::string ValueReader::shown(const Item& item, std::string_view written) const {
  return problems_.shown(item.path, written);
}

ValueReader::Answer ValueReader::fail(const Item& item, const std::string& message) {
  problems_.at_value(item.path, without_indexes(item.path) + " " + message);
  return std::nullopt;
}

}  // namespace postern::conf
