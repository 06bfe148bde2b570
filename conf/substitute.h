#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace postern::conf {

using Variables = std::function<std::optional<std::string>(const std::string& name)>;

// Replaces the environment's variables in a string:
//   ${NAME}            the value of NAME, also when it is empty; an error when NAME is not set
//   ${NAME:-default}   the text up to the next "}" when NAME is not set or empty, as in a shell
//   $$                 a dollar sign
// Any other dollar sign stands for itself. NAME is letters, digits and "_" and begins with no digit. A value
// that came from the environment is not looked at again. The error is a sentence that names the variable.
std::expected<std::string, std::string> substitute(std::string_view text, const Variables& variables);

// Whether substitute() would take something from the environment.
bool has_variable(std::string_view text);

}  // namespace postern::conf
