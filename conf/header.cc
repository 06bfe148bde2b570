#include "conf/header.h"

#include <algorithm>

namespace postern::conf {
namespace {

// HTTP's own framing, and what nginx's auth_http contract gives a meaning to.
constexpr std::string_view kOwn[] = {"auth-login-attempt", "auth-method",    "auth-pass",   "auth-protocol",
                                     "auth-salt",          "auth-user",      "client-host", "client-ip",
                                     "connection",         "content-length", "host",        "te",
                                     "transfer-encoding",  "upgrade"};
constexpr std::string_view kOwnPrefixes[] = {"auth-ssl", "proxy-protocol-"};

char lower(char octet) { return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet; }

bool is_token_octet(char octet) {
  const char folded = lower(octet);
  return (folded >= 'a' && folded <= 'z') || (octet >= '0' && octet <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(octet) != std::string_view::npos;
}

}  // namespace

std::optional<std::string> problem_of_header(std::string_view name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_octet))
    return "a name of a header has letters, digits and any of !#$%&'*+-.^_`|~";
  std::string folded(name);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  const bool own = std::find(std::begin(kOwn), std::end(kOwn), folded) != std::end(kOwn) ||
                   std::any_of(std::begin(kOwnPrefixes), std::end(kOwnPrefixes),
                               [&folded](std::string_view prefix) { return folded.starts_with(prefix); });
  if (own) return "Postern writes this header itself";
  return std::nullopt;
}

bool same_header(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char left, char right) { return lower(left) == lower(right); });
}

}  // namespace postern::conf
