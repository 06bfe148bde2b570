#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <sys/types.h>

namespace postern::conf {

// The whole of a file. The error is the system's, or that it is larger than `limit` octets. A caller that
// reads a secret wipes the string; no other copy is left.
std::expected<std::string, std::string> read_file(const std::string& path, std::size_t limit);

struct FileFacts {
  off_t size = 0;
  mode_t mode = 0;  // the permission bits
};

// Of a regular file that this process can read; otherwise the error says why not.
std::expected<FileFacts, std::string> inspect_file(const std::string& path);

}  // namespace postern::conf
