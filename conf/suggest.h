#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::conf {

// The candidate that a misspelt word most likely means: the fewest edits (insert, delete, replace, swap two
// neighbours), regardless of case, at most a third of the longer word's letters. nullopt when none is near.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// `; did you mean "address"?`, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace postern::conf
