#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "conf/position.h"

namespace postern::conf {

// The text of a configuration file and the places of what is written in it. A place is named by its path:
// "limits.idle", "listen.imaps.address[1]", "tls.certificates[0].key", `pool."a.b"`. Lists count from 0.
class Source {
 public:
  Source(std::string name, std::string_view text);

  // Where a key stands, and where its value begins. A table's value begins at its header or brace.
  void mark(const std::string& path, Position key, Position value);
  bool has(std::string_view path) const;

  // A value that takes something from the environment, as it stands in the file.
  void mark_written(const std::string& path, std::string text);
  // nullptr: `path` takes nothing from the environment.
  const std::string* written(std::string_view path) const;

  // The place of the value, of the key; of the nearest table around it when the path is not in the file.
  Position value(std::string_view path) const;
  Position key(std::string_view path) const;

  // A problem that was found after loading, at the value of `path`: for example
  // `postern.toml:12:5: the key does not match the certificate`.
  Diagnostic at(std::string_view path, std::string message) const;
  Diagnostic at(Position position, std::string message) const;

 private:
  struct Place {
    Position key;
    Position value;
  };
  const Place* nearest(std::string_view path) const;

  std::string name_;
  std::vector<std::string> lines_;
  std::map<std::string, Place, std::less<>> places_;
  std::map<std::string, std::string, std::less<>> written_;
};

// "listen" and "imaps" become "listen.imaps"; a name that TOML would quote is quoted.
std::string join(std::string_view path, std::string_view name);

}  // namespace postern::conf
