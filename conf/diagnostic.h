#pragma once

#include <string>
#include <vector>

namespace postern::conf {

// One problem in a configuration file.
struct Diagnostic {
  std::string file;
  unsigned line = 0;    // from 1; 0: the problem is the whole file's
  unsigned column = 0;  // from 1
  std::string message;  // `unknown key "addres" in [listen.imaps]; did you mean "address"?`
  std::string source;   // the line as it stands in the file

  // file:line:column: message, the source line and a caret below the column; ends with a newline.
  std::string to_string() const;
};

std::string to_string(const std::vector<Diagnostic>& problems);

}  // namespace postern::conf
