#include "parsers/pop3/xclient.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "parsers/base64.h"
#include "parsers/pop3/keyword.h"

namespace postern::pop3 {
namespace {

constexpr std::size_t kSessionMax = 64;
constexpr std::size_t kNameMax = 255;
constexpr std::size_t kForwardNameMax = 20;
constexpr std::size_t kForwardValueMax = 1024;

enum Field : std::size_t { Addr, Port, DestAddr, DestPort, Session, Ttl, DestName, kFields };
constexpr std::array<std::string_view, kFields> kKeys = {"ADDR",    "PORT", "DESTADDR", "DESTPORT",
                                                         "SESSION", "TTL",  "DESTNAME"};

using Values = std::array<std::optional<std::string_view>, kFields>;

bool is_session(std::string_view text) {
  return !text.empty() && text.size() <= kSessionMax &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_host_name(std::string_view text) {
  const auto in_name = [](char c) {
    return (c >= '0' && c <= '9') || (upper(c) >= 'A' && upper(c) <= 'Z') || c == '.' || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= kNameMax && std::ranges::all_of(text, in_name);
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The fields that Postern knows; nullopt: one is not a field, or is there twice.
std::optional<Values> split_fields(std::string_view arguments) {
  Values values;
  while (!arguments.empty()) {
    const auto [field, rest] = split_keyword(arguments);
    const auto equals = field.find('=');
    if (equals == 0 || equals == field.npos) return std::nullopt;
    const auto key = field.substr(0, equals);
    const auto known = std::ranges::find_if(kKeys, [key](auto k) { return same_keyword(k, key); });
    if (known != kKeys.end()) {
      auto& value = values[static_cast<std::size_t>(known - kKeys.begin())];
      if (value) return std::nullopt;
      value = field.substr(equals + 1);
    }
    arguments = rest;
  }
  return values;
}

// False: not readable.
bool read_endpoint(const Values& values, Field address, Field port, std::optional<Endpoint>& endpoint) {
  if (!values[address]) return !values[port];
  const auto parsed = Address::parse(*values[address]);
  const auto number = values[port] ? parse_number<std::uint16_t>(*values[port]) : 0;
  if (!parsed || !number) return false;
  endpoint = Endpoint{.address = *parsed, .port = *number};
  return true;
}

void append(std::string& line, std::string_view key, std::string_view value) {
  (((line += ' ') += key) += '=') += value;
}

void append(std::string& line, Field address, Field port, const Endpoint& endpoint) {
  if (endpoint.address.family == Address::Family::None) return;
  append(line, kKeys[address], endpoint.address.to_string());
  append(line, kKeys[port], std::to_string(endpoint.port));
}

// A value that can stand between TABs, as Dovecot escapes it.
std::string tab_escaped(std::string_view text) {
  constexpr std::string_view special("\001\000\t\r\n", 5);
  constexpr std::string_view letters = "10trn";
  std::string escaped;
  for (const char c : text) {
    const auto at = special.find(c);
    if (at == special.npos) {
      escaped += c;
    } else {
      (escaped += '\001') += letters[at];
    }
  }
  return escaped;
}

Secret write_forward(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    const bool fits = !name.empty() && name.size() <= kForwardNameMax && value.size() <= kForwardValueMax;
    if (!fits || name.find('=') != name.npos) continue;
    if (!text.empty()) text += '\t';
    text.append(tab_escaped(name)).append("=").append(tab_escaped(value));
  }
  return encode_base64(text);
}

}  // namespace

std::optional<Forwarded> parse_xclient(std::string_view arguments) {
  const auto values = split_fields(arguments);
  if (!values || arguments.empty()) return std::nullopt;
  Forwarded forwarded;
  if (!read_endpoint(*values, Addr, Port, forwarded.client)) return std::nullopt;
  if (!read_endpoint(*values, DestAddr, DestPort, forwarded.connected)) return std::nullopt;
  if (const auto& session = (*values)[Session]) {
    if (!is_session(*session)) return std::nullopt;
    forwarded.session = *session;
  }
  if (const auto& name = (*values)[DestName]) {
    if (!is_host_name(*name)) return std::nullopt;
    forwarded.server_name = *name;
  }
  if (const auto& ttl = (*values)[Ttl]) {
    forwarded.hops_left = parse_number<unsigned>(*ttl);
    if (!forwarded.hops_left) return std::nullopt;
  }
  return forwarded;
}

std::string write_xclient(const ClientIdentity& client) {
  std::string line = "XCLIENT";
  append(line, Addr, Port, client.client);
  append(line, DestAddr, DestPort, client.connected);
  if (is_session(client.session)) append(line, kKeys[Session], client.session);
  append(line, kKeys[Ttl], std::to_string(client.hops_left));
  append(line, "CLIENT-TRANSPORT", client.secure ? "TLS" : "insecure");
  if (is_host_name(client.server_name)) append(line, kKeys[DestName], client.server_name);
  if (const auto told = write_forward(client.forward); !told.empty()) {
    const std::size_t before = line.size();
    append(line, "FORWARD", told.reveal());
    if (line.size() + 2 > kXclientMax) line.resize(before);
  }
  line += "\r\n";
  return line;
}

}  // namespace postern::pop3
