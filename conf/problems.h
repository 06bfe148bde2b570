#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "conf/source.h"

namespace postern::conf {

// Collects what is wrong. What was reported once is not sound any more, so that later checks do not report
// the consequences of the same mistake.
class Problems {
 public:
  explicit Problems(const Source& source) : source_(source) {}  // outlives this

  void at_key(const std::string& path, std::string message);
  void at_value(const std::string& path, std::string message);
  void distrust(const std::string& path);

  // Nothing is wrong with `path`, with a table around it, or with a part of it.
  bool sound(std::string_view path) const;

  // " (line 12)" for a message that names two places; "" when the path is not in the file.
  std::string line_of(std::string_view path) const;

  // A value as messages show it: what came from the environment may be a secret, and is shown as the file has
  // it, "${NAME}".
  std::string shown(std::string_view path, std::string_view value) const;

  // In the file's order.
  std::vector<Diagnostic> take();

 private:
  void add(Diagnostic problem);

  const Source& source_;
  std::vector<Diagnostic> found_;  // in the file's order
  std::set<std::string, std::less<>> distrusted_;
};

}  // namespace postern::conf
