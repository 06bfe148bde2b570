#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "conf/model.h"

namespace postern::conf {

// An absolute URL of a service, "http://" or "https://" (RFC 9110 §4.2), without user, password or fragment.
// The path is taken as it is written: printable ASCII. The error says what is wrong with it.
std::expected<Url, std::string> parse_url(std::string_view text);

}  // namespace postern::conf
