#include "conf/file.h"

#include <cerrno>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace postern::conf {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<std::string> system_error() {
  return std::unexpected(std::generic_category().message(errno));
}

}  // namespace

std::expected<std::string, std::string> read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(path, 0);
  if (file.get() < 0) return system_error();
  std::string content(limit + 1, '\0');  // never grown: no copy stays behind
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t count = ::read(file.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error();
    if (count == 0) {
      content.resize(size);
      return content;
    }
    size += static_cast<std::size_t>(count);
  }
  ::explicit_bzero(content.data(), content.size());
  return std::unexpected("it is larger than " + std::to_string(limit) + " octets");
}

std::expected<FileFacts, std::string> inspect_file(const std::string& path) {
  const Descriptor file(path, O_NONBLOCK);  // a pipe must not block
  struct stat facts{};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) return system_error();
  if (!S_ISREG(facts.st_mode)) return std::unexpected("not a regular file");
  return FileFacts{facts.st_size, facts.st_mode & 07777U};
}

}  // namespace postern::conf
