#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <toml++/toml.h>

// How messages name what stands in the file.

namespace postern::conf {

// In double quotes; control characters as \n, \t or \xNN; cut after 60 octets.
std::string quoted(std::string_view text);

// `the string "x"`, `the integer 5`, `a table`.
std::string describe(const toml::node& node);

// "a, b, c"
std::string list(std::span<const std::string_view> words);
std::string list(std::span<const std::string> words);

// The TOML parser's words for a syntax error in `line`, with a hint at the commonest mistakes.
std::string syntax_error(std::string_view description, const std::string& line);

// A path without the indexes of lists: the line tells which element is meant.
std::string without_indexes(std::string_view path);

// "route" and 2 become "route[2]".
std::string element(std::string_view path, std::size_t index);

}  // namespace postern::conf
