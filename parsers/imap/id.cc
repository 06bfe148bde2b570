#include "parsers/imap/id.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "parsers/imap/text.h"

namespace postern {
namespace {

constexpr std::size_t kPairsMax = 30;
constexpr std::size_t kFieldMax = 30;
constexpr std::size_t kValueMax = 1024;
constexpr std::size_t kForwardNameMax = 20;
constexpr std::size_t kQuotedMax = 1026;  // one argument of a command that Dovecot reads
constexpr std::size_t kSessionMax = 64;
constexpr std::size_t kServerNameMax = 255;

struct Field {
  std::string_view name;
  std::optional<std::string_view> value;  // nullopt: NIL
};

// In any case; those that end in "-" and x-multiplex's kin stand for all that begin like them.
constexpr std::array<std::string_view, 7> kProxyFields = {"x-originating-",    "x-connected-", "x-proxy-",
                                                          "x-session-",        "x-forward-",   "x-multiplex",
                                                          "x-client-transport"};

bool is_proxy_field(std::string_view name) {
  return std::ranges::any_of(
      kProxyFields, [name](std::string_view prefix) { return starts_with_ignoring_case(name, prefix); });
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_session(std::string_view text) {
  return !text.empty() && text.size() <= kSessionMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kServerNameMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

// The fields of one ID that only proxies send. NIL is the same as not there.
class ProxyFields {
 public:
  explicit ProxyFields(const std::vector<Field>& fields) : fields_(fields) {}

  Forwarded read() {
    Forwarded result;
    result.client = endpoint("x-originating-ip", "x-originating-port");
    result.connected = endpoint("x-connected-ip", "x-connected-port");
    if (const auto session = find("x-session-id")) {
      result.session = *session;
      malformed_ |= !is_session(*session);
    }
    if (const auto name = find("x-connected-name"); name && !name->empty()) {
      result.server_name = *name;
      malformed_ |= !is_host_name(*name);
    }
    if (const auto hops = find("x-proxy-ttl")) {
      result.hops_left = parse_number<unsigned>(*hops);
      malformed_ |= !result.hops_left;
    }
    if (!malformed_) return result;
    Forwarded nothing;
    nothing.malformed = true;
    return nothing;
  }

 private:
  std::optional<std::string_view> find(std::string_view name) const {
    for (const Field& field : fields_) {
      if (equals_ignoring_case(field.name, name)) return field.value;
    }
    return std::nullopt;
  }

  std::optional<Endpoint> endpoint(std::string_view ip_field, std::string_view port_field) {
    const auto ip = find(ip_field);
    const auto port = find(port_field);
    if (!ip && !port) return std::nullopt;
    const auto address = ip ? Address::parse(*ip) : std::nullopt;
    const auto number = port ? parse_number<std::uint16_t>(*port) : std::uint16_t{0};
    if (address && number) return Endpoint{*address, *number};
    malformed_ = true;
    return std::nullopt;
  }

  const std::vector<Field>& fields_;
  bool malformed_ = false;
};

bool is_nil(const ImapArgument& argument) {
  return argument.kind == ImapArgument::Kind::Atom && equals_ignoring_case(argument.text.reveal(), "NIL");
}

bool fits_store(std::string_view text) { return fits_quoted(text) && quoted_size(text) <= kQuotedMax; }

void append_value(std::string& text, std::optional<std::string_view> value) {
  if (value) {
    append_quoted(text, *value);
  } else {
    text += "NIL";
  }
}

std::string write_client(const std::vector<Field>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (is_proxy_field(name) || !fits_store(name) || (value && !fits_store(*value))) continue;
    const std::size_t before = text.size();
    if (before > 0) text += ' ';
    append_quoted(text, name);
    text += ' ';
    append_value(text, value);
    if (text.size() > ImapId::kClientMax) text.resize(before);
  }
  return text;
}

// The first `most` of `pairs`, which are written already.
std::string_view first_pairs(std::string_view pairs, std::size_t most) {
  if (most == 0) return {};
  std::size_t words = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i] == '\\') {
      ++i;
    } else if (pairs[i] == '"') {
      quoted = !quoted;
    } else if (pairs[i] == ' ' && !quoted && ++words == 2 * most) {
      return pairs.substr(0, i);
    }
  }
  return pairs;
}

}  // namespace

std::expected<ImapId, std::string_view> parse_id(const ImapCommand& command) {
  constexpr std::string_view kForm = "ID takes NIL or a list of fields and values.";
  if (command.arguments.size() != 1) return std::unexpected(kForm);
  const ImapArgument& argument = command.arguments.front();
  if (is_nil(argument)) return ImapId{};
  if (argument.kind != ImapArgument::Kind::List || argument.items.size() % 2 != 0) {
    return std::unexpected(kForm);
  }

  std::vector<Field> fields;
  std::size_t own = 0;
  for (std::size_t i = 0; i < argument.items.size(); i += 2) {
    const ImapArgument& name = argument.items[i];
    const ImapArgument& value = argument.items[i + 1];
    if (name.kind != ImapArgument::Kind::String) return std::unexpected("ID's fields are strings.");
    if (value.kind != ImapArgument::Kind::String && !is_nil(value)) {
      return std::unexpected("ID's values are strings or NIL.");
    }
    const std::string_view field = name.text.reveal();
    if (field.size() > kFieldMax) return std::unexpected("A field of ID has at most 30 octets.");
    if (value.text.size() > kValueMax) return std::unexpected("A value of ID has at most 1024 octets.");
    const bool twice = std::ranges::any_of(
        fields, [field](const Field& other) { return equals_ignoring_case(other.name, field); });
    if (twice) return std::unexpected("A field of ID stands there twice.");
    if (!is_proxy_field(field) && ++own > kPairsMax) return std::unexpected("ID has at most 30 fields.");
    fields.push_back({field, is_nil(value) ? std::nullopt : std::optional(value.text.reveal())});
  }
  return ImapId{.client = write_client(fields), .forwarded = ProxyFields(fields).read()};
}

std::string write_id(const ClientIdentity& identity) {
  std::string ours;
  std::size_t count = 0;
  const auto add = [&ours, &count](std::string_view name, std::string_view value) {
    if (count == kPairsMax || !fits_store(value)) return;
    if (count > 0) ours += ' ';
    append_quoted(ours, name);
    ours += ' ';
    append_quoted(ours, value);
    ++count;
  };
  const auto add_endpoint = [&add](const Endpoint& endpoint, std::string_view ip, std::string_view port) {
    if (endpoint.address.family == Address::Family::None) return;
    add(ip, endpoint.address.to_string());
    add(port, std::to_string(endpoint.port));
  };
  if (!identity.session.empty()) add("x-session-id", identity.session);
  add_endpoint(identity.client, "x-originating-ip", "x-originating-port");
  add_endpoint(identity.connected, "x-connected-ip", "x-connected-port");
  add("x-proxy-ttl", std::to_string(identity.hops_left));
  add("x-client-transport", identity.secure ? "TLS" : "insecure");
  if (!identity.server_name.empty()) add("x-connected-name", identity.server_name);
  const std::size_t forward = ours.size();
  std::vector<std::string_view> names;
  names.reserve(identity.forward.size());
  for (const auto& [name, value] : identity.forward) {
    const bool twice =
        std::ranges::any_of(names, [&name](std::string_view n) { return equals_ignoring_case(n, name); });
    if (name.empty() || name.size() > kForwardNameMax || !fits_store(name) || !fits_store(value) || twice) {
      continue;
    }
    names.push_back(name);
    const std::string field = "x-forward-" + name;
    const std::size_t more = std::string_view("  ").size() + quoted_size(field) + quoted_size(value);
    if (ours.size() - forward + more <= kForwardMax) add(field, value);
  }
  std::string text = "(";
  text += first_pairs(identity.client_id, kPairsMax - count);
  if (text.size() > 1) text += ' ';
  return text + ours + ")";
}

}  // namespace postern
