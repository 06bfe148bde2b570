#include "conf/authority.h"

#include "conf/host.h"
#include "conf/quantity.h"
#include "parsers/address.h"

namespace postern::conf {
namespace {

constexpr std::uint64_t kLastPort = 65535;

struct Parts {
  std::string_view host;
  std::optional<std::string_view> port;
};

std::expected<Parts, std::string> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::unexpected("the bracket is not closed");
    const std::string_view inner = text.substr(1, end - 1);
    const std::optional<Address> address = Address::parse(inner);
    if (!address || inner.find(':') == std::string_view::npos)
      return std::unexpected("only an IPv6 address stands in brackets");
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return Parts{inner, std::nullopt};
    if (!rest.starts_with(':')) return std::unexpected("only a port may follow the bracket");
    return Parts{inner, rest.substr(1)};
  }
  if (text.find("://") != std::string_view::npos) return std::unexpected("a scheme has no place in it");
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return Parts{text, std::nullopt};
  if (text.find(':', colon + 1) != std::string_view::npos)
    return std::unexpected("an IPv6 address stands in brackets");
  return Parts{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

std::expected<Authority, std::string> parse_authority(std::string_view text) {
  const std::expected<Parts, std::string> parts = split(text);
  if (!parts) return std::unexpected(parts.error());
  if (parts->host.empty()) return std::unexpected("the host is missing");
  if (const std::optional<std::string> wrong = problem_of_host(parts->host)) return std::unexpected(*wrong);
  Authority authority{std::string(parts->host), std::nullopt};
  if (!parts->port) return authority;
  const std::optional<std::uint64_t> port = parse_number(*parts->port);
  if (!port || *port == 0 || *port > kLastPort) return std::unexpected("a port is from 1 to 65535");
  authority.port = static_cast<std::uint16_t>(*port);
  return authority;
}

}  // namespace postern::conf
