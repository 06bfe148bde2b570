#include "conf/source.h"

#include <algorithm>
#include <utility>

namespace postern::conf {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_bare(char octet) {
  return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || (octet >= '0' && octet <= '9') ||
         octet == '_' || octet == '-';
}

// "a.b[1]" is in "a.b", which is in "a"; a dot within quotes separates nothing.
std::string_view parent(std::string_view path) {
  if (path.ends_with('"')) {
    const std::size_t quote = path.rfind('"', path.size() - 2);
    return path.substr(0, quote == std::string_view::npos || quote == 0 ? 0 : quote - 1);
  }
  const std::size_t end = path.find_last_of(".[");
  return path.substr(0, end == std::string_view::npos ? 0 : end);
}

}  // namespace

Source::Source(std::string name, std::string_view text) : name_(std::move(name)) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines_.emplace_back(line);
  }
}

void Source::mark(const std::string& path, Position key, Position value) {
  places_.insert_or_assign(path, Place{key, value});
}

void Source::mark_written(const std::string& path, std::string text) {
  written_.insert_or_assign(path, std::move(text));
}

const std::string* Source::written(std::string_view path) const {
  const auto found = written_.find(path);
  return found == written_.end() ? nullptr : &found->second;
}

bool Source::has(std::string_view path) const { return places_.contains(path); }

Position Source::value(std::string_view path) const {
  const Place* place = nearest(path);
  return place == nullptr ? Position{} : place->value;
}

Position Source::key(std::string_view path) const {
  const Place* place = nearest(path);
  return place == nullptr ? Position{} : place->key;
}

Diagnostic Source::at(std::string_view path, std::string message) const {
  return at(value(path), std::move(message));
}

Diagnostic Source::at(Position position, std::string message) const {
  Diagnostic problem;
  problem.file = name_;
  problem.line = position.line;
  problem.column = position.column;
  problem.message = std::move(message);
  if (position.line > 0 && position.line <= lines_.size()) problem.source = lines_[position.line - 1];
  return problem;
}

const Source::Place* Source::nearest(std::string_view path) const {
  while (!path.empty()) {
    const auto found = places_.find(path);
    if (found != places_.end()) return &found->second;
    path = parent(path);
  }
  return nullptr;
}

std::string join(std::string_view path, std::string_view name) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), is_bare);
  if (bare) return joined.append(name);
  joined += '"';
  for (const char octet : name) joined += octet == '"' ? '\'' : octet;
  return joined += '"';
}

}  // namespace postern::conf
