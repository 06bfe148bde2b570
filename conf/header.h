#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::conf {

// Why a question to auth.http cannot have a header of this name: it is no token (RFC 9110 §5.6.2), or Postern
// writes it itself. nullopt when it can. Control characters in values are refused in every string.
std::optional<std::string> problem_of_header(std::string_view name);

// Two names of headers are one when they differ only in the case of their letters.
bool same_header(std::string_view a, std::string_view b);

}  // namespace postern::conf
