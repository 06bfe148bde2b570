#include "conf/url.h"

#include <algorithm>

#include "conf/authority.h"

namespace postern::conf {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

}  // namespace

std::expected<Url, std::string> parse_url(std::string_view text) {
  Url url;
  url.tls = text.starts_with("https://");
  if (!url.tls && !text.starts_with("http://"))
    return std::unexpected("it begins with \"http://\" or \"https://\"");
  text.remove_prefix(url.tls ? 8 : 7);

  const bool printable = std::all_of(text.begin(), text.end(), [](char octet) {
    return static_cast<unsigned char>(octet) > 0x20 && static_cast<unsigned char>(octet) < 0x7f;
  });
  if (!printable) return std::unexpected("spaces and what is not ASCII are written %XX");
  if (text.find('#') != std::string_view::npos) return std::unexpected("a service is sent no fragment (#)");

  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  if (text.substr(0, end).find('@') != std::string_view::npos)
    return std::unexpected("a user and a password have no place in it");
  std::expected<Authority, std::string> authority = parse_authority(text.substr(0, end));
  if (!authority) return std::unexpected(authority.error());
  url.host = std::move(authority->host);
  url.port = authority->port.value_or(url.tls ? kHttpsPort : kHttpPort);
  url.path = text.substr(end);
  if (!url.path.starts_with('/')) url.path.insert(0, 1, '/');
  return url;
}

}  // namespace postern::conf
