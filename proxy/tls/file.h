#pragma once

#include <expected>
#include <string>

#include "parsers/secret.h"

namespace postern::tls {

// The content of a regular file of at most 4 MiB. The error is one sentence that begins with the file's name.
std::expected<Secret, std::string> read_file(const std::string& path);

}  // namespace postern::tls
