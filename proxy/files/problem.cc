#include "proxy/files/problem.h"

namespace postern::files {

std::string to_string(const Problems& problems) {
  std::string all;
  for (const Problem& problem : problems) {
    if (!all.empty()) all += "; ";
    if (problem.line != 0) all += "line " + std::to_string(problem.line) + ": ";
    all += problem.text;
  }
  return all;
}

}  // namespace postern::files
