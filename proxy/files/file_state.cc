#include "proxy/files/file_state.h"

#include <sys/stat.h>

namespace postern::files {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileState state_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .modified = nanoseconds(status.st_mtim),
          .changed = nanoseconds(status.st_ctim),
          .regular = S_ISREG(status.st_mode)};
}

}  // namespace

std::optional<FileState> FileState::of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return state_of(status);
}

std::optional<FileState> FileState::of(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return std::nullopt;
  return state_of(status);
}

}  // namespace postern::files
