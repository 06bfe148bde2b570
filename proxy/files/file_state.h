#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace postern::files {

// What changes when a file does: written anew in its place, replaced by another, or given other rights.
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;   // of the inode: also its rights, and what keeps the time of the content
  bool regular = false;

  // nullopt: the system does not say; errno has the reason.
  static std::optional<FileState> of(const std::string& path);
  static std::optional<FileState> of(int descriptor);

  bool operator==(const FileState&) const = default;
};

}  // namespace postern::files
