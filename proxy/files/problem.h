#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace postern::files {

// What is wrong with a file; line 0 is the file itself.
struct Problem {
  std::size_t line = 0;
  std::string text;  // never holds a secret

  bool operator==(const Problem&) const = default;
};

// Every problem of a file, but no more than kMaxProblems, in the order of the lines.
using Problems = std::vector<Problem>;
inline constexpr std::size_t kMaxProblems = 20;

// "line 3: what is wrong; line 7: ..."
std::string to_string(const Problems& problems);

}  // namespace postern::files
