#include "proxy/files/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <unistd.h>
#include <utility>

#include "parsers/secret.h"

namespace postern::files {

namespace {

void grow(std::string& text, std::size_t size) {
  reserve_wiping(text, size);
  text.resize(size);
}

}  // namespace

std::expected<TextFile, Problems> read_text(const std::string& path, const std::stop_token& stop) {
  const auto failed = [](const std::string& why) {
    return std::unexpected(Problems{{0, "cannot be read: " + why}});
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return failed(std::strerror(errno));
  const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor,
                                                                [](const int* it) { ::close(*it); });
  const std::optional<FileState> state = FileState::of(descriptor);
  if (!state) return failed(std::strerror(errno));
  if (!state->regular) {
    const bool folder = ::read(descriptor, nullptr, 0) < 0 && errno == EISDIR;
    return failed(folder ? std::strerror(EISDIR) : "not a regular file");
  }
  std::string text;
  std::size_t size = 0;
  grow(text, static_cast<std::size_t>(state->size) + 1);
  while (!stop.stop_requested()) {
    constexpr std::size_t kChunk = std::size_t{1} << 20;
    if (text.size() == size) grow(text, 2 * size + kChunk);
    const ssize_t count = ::read(descriptor, text.data() + size, std::min(text.size() - size, kChunk));
    if (count == 0) break;
    if (count < 0 && errno != EINTR) {
      const int error = errno;
      wipe(text.data(), text.size());
      return failed(std::strerror(error));
    }
    if (count > 0) size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  if (stop.stop_requested()) {
    wipe(text.data(), text.size());
    return failed("the load was broken off");
  }
  return TextFile{std::move(text), *state};
}

}  // namespace postern::files
