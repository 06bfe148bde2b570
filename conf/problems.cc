#include "conf/problems.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "conf/wording.h"

namespace postern::conf {
namespace {

bool stands_before(const Diagnostic& a, const Diagnostic& b) {
  return std::tie(a.line, a.column) < std::tie(b.line, b.column);
}

bool is_within(std::string_view path, std::string_view table) {
  if (!path.starts_with(table)) return false;
  return path.size() == table.size() || path[table.size()] == '.' || path[table.size()] == '[';
}

}  // namespace

void Problems::at_key(const std::string& path, std::string message) {
  add(source_.at(source_.key(path), std::move(message)));
  distrust(path);
}

void Problems::at_value(const std::string& path, std::string message) {
  add(source_.at(path, std::move(message)));
  distrust(path);
}

void Problems::add(Diagnostic problem) {
  const auto place = std::upper_bound(found_.begin(), found_.end(), problem, stands_before);
  found_.insert(place, std::move(problem));
}

void Problems::distrust(const std::string& path) { distrusted_.insert(path); }

bool Problems::sound(std::string_view path) const {
  return std::none_of(distrusted_.begin(), distrusted_.end(), [path](const std::string& wrong) {
    return is_within(path, wrong) || is_within(wrong, path);
  });
}

std::string Problems::line_of(std::string_view path) const {
  if (!source_.has(path)) return "";
  return " (line " + std::to_string(source_.value(path).line) + ")";
}

std::string Problems::shown(std::string_view path, std::string_view value) const {
  const std::string* written = source_.written(path);
  return quoted(written == nullptr ? value : *written);
}

std::vector<Diagnostic> Problems::take() { return std::move(found_); }

}  // namespace postern::conf
