#pragma once

#include <expected>
#include <stop_token>
#include <string>

#include "proxy/files/file_state.h"
#include "proxy/files/problem.h"

namespace postern::files {

// A whole file, and its state when it was opened.
struct TextFile {
  std::string text;
  FileState state;
};

// Reads a regular file; waits for nobody (a pipe is refused). A read that is to stop ends soon, with an
// error. No copy of the text is left behind: whoever reads secrets has to wipe one string.
std::expected<TextFile, Problems> read_text(const std::string& path, const std::stop_token& stop = {});

}  // namespace postern::files
