#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/unit/conf/base.h"

// The files in bad/ hold cases of three parts: a title, what is written (base.h completes it), and the whole
// text that the operator reads:
//
//   === a misspelt key
//   [limits]
//   idel = "31m"
//   --- says
//   postern.toml:2:1: unknown key "idel" in [limits]; did you mean "idle"?
//       idel = "31m"
//       ^
//
// With POSTERN_REWRITE set, the files are written anew from what the loader says; read the difference.

namespace postern::conf {
namespace {

struct Case {
  std::string title;
  std::string text;
  std::string says;
};

std::vector<Case> cases_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Case> cases;
  bool says = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), "", ""});
      says = false;
    } else if (line == "--- says") {
      says = true;
    } else {
      (says ? cases.back().says : cases.back().text) += line + "\n";
    }
  }
  return cases;
}

void rewrite(const std::filesystem::path& path, const std::vector<Case>& cases) {
  std::ofstream file(path);
  for (const Case& one : cases) {
    file << "=== " << one.title << "\n" << one.text << "--- says\n" << problems_of(one.text);
  }
}

TEST_CASE("bad configurations are answered in these very words") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_BAD)) {
    const std::vector<Case> cases = cases_in(entry.path());
    if (std::getenv("POSTERN_REWRITE") != nullptr) rewrite(entry.path(), cases);
    for (const Case& one : cases) {
      CAPTURE(entry.path().filename().string());
      CAPTURE(one.title);
      CHECK(problems_of(one.text) == one.says);
      CHECK_FALSE(one.says.empty());
    }
    count += cases.size();
  }
  CHECK(count >= 100);
}

}  // namespace
}  // namespace postern::conf
