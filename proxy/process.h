#pragma once

#include <expected>
#include <string>

// What the process does to itself and says of itself.
namespace postern {

// Opens /dev/null in the place of each standard stream that was closed: nothing of ours may get its number.
void keep_standard_streams();

// Raises the soft limit of descriptors to the hard one. The error names the number that `sessions` need.
std::expected<void, std::string> raise_descriptor_limit(unsigned sessions);

// Gives up root for good: groups, group, user.
std::expected<void, std::string> become(const std::string& user);

// A core would hold keys and passwords: none is written, and no other process of the user may read the
// memory.
void forbid_core_dumps();

std::string tls_library_version();  // "API 17, Debian": what was compiled against
std::string compiler_version();

}  // namespace postern
