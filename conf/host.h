#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::conf {

// Why `text` is neither an IP address nor a host name (RFC 1123 §2.1, and "_" as in the names of services);
// nullopt when it is one of them.
std::optional<std::string> problem_of_host(std::string_view text);

}  // namespace postern::conf
