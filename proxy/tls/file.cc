#include "proxy/tls/file.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace postern::tls {
namespace {

constexpr std::size_t kLimit = std::size_t{4} << 20;

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::unexpected<std::string> system_error(const std::string& path) {
  return std::unexpected(path + ": " + std::generic_category().message(errno));
}

}  // namespace

std::expected<Secret, std::string> read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) return system_error(path);
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) return system_error(path);
  if (!S_ISREG(status.st_mode)) return std::unexpected(path + ": not a regular file");

  Secret content;
  std::array<char, 16384> chunk;
  for (;;) {
    const ssize_t got = ::read(file.fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      wipe(chunk.data(), chunk.size());
      return system_error(path);
    }
    if (got == 0) break;
    content.append(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
    if (content.size() > kLimit) {
      wipe(chunk.data(), chunk.size());
      return std::unexpected(path + ": larger than 4 MiB");
    }
  }
  wipe(chunk.data(), chunk.size());
  if (content.empty()) return std::unexpected(path + ": the file is empty");
  return content;
}

}  // namespace postern::tls
