#include "proxy/observe/log_target.h"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace postern::observe {

namespace {

std::unexpected<std::string> failure(std::string_view what, std::string_view path, int error) {
  return std::unexpected(fmt::format("{} {}: {}", what, path, std::generic_category().message(error)));
}

// Writes all of it, waiting as long as the descriptor wants, even where someone made it non-blocking.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd wait{fd, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

class StreamTarget : public LogTarget {
 public:
  explicit StreamTarget(Descriptor fd) : fd_(std::move(fd)) {}

 protected:
  bool write(spdlog::level::level_enum, std::string_view line) override {
    // After a failure the last line may end in its middle: the next must not be taken for its rest.
    scratch_.assign(torn_ ? "\n" : "");
    scratch_.append(line).append("\n");
    torn_ = !write_all(fd_.get(), scratch_);
    return !torn_;
  }

  Descriptor fd_;

 private:
  std::string scratch_;
  bool torn_ = false;
};

// O_NONBLOCK while it opens: a FIFO that nobody reads must not stop the start.
std::expected<Descriptor, std::string> open_file(const std::string& path) {
  Descriptor fd(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640));
  if (fd.get() < 0) return failure("cannot open log file", path, errno);
  ::fcntl(fd.get(), F_SETFL, O_APPEND);
  return fd;
}

class FileTarget : public StreamTarget {
 public:
  FileTarget(std::string path, Descriptor fd) : StreamTarget(std::move(fd)), path_(std::move(path)) {}
  ~FileTarget() override { const Descriptor unused(next_.exchange(-1)); }

  std::expected<void, std::string> reopen() override {
    auto fd = open_file(path_);
    if (!fd) return std::unexpected(fd.error());
    const Descriptor replaced(next_.exchange(fd->release()));
    return {};
  }

 protected:
  bool write(spdlog::level::level_enum level, std::string_view line) override {
    if (const int next = next_.exchange(-1); next >= 0) fd_ = Descriptor(next);
    return StreamTarget::write(level, line);
  }

 private:
  std::string path_;
  std::atomic<int> next_{-1};  // opened by reopen(), taken over by the next line
};

class SyslogTarget : public LogTarget {
 public:
  explicit SyslogTarget(std::string path) : path_(std::move(path)) {}

  int connect() {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path_.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    path_.copy(address.sun_path, path_.size());
    fd_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd_.get() < 0) return errno;
    return ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  }

 protected:
  bool write(spdlog::level::level_enum level, std::string_view line) override {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    char stamp[32];
    stamp[std::strftime(stamp, sizeof stamp, "%b %e %T", ::localtime_r(&now, &local))] = '\0';
    const std::string message =
        fmt::format("<{}>{} postern[{}]: {}", LOG_MAIL | priority(level), stamp, ::getpid(), line);
    return send(message) || (connect() == 0 && send(message));
  }

 private:
  static int priority(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::debug:
        return LOG_DEBUG;
      case spdlog::level::warn:
        return LOG_WARNING;
      case spdlog::level::err:
        return LOG_ERR;
      default:
        return LOG_INFO;
    }
  }

  bool send(const std::string& message) {
    ssize_t sent = 0;
    do {
      sent = ::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
  }

  std::string path_;
  Descriptor fd_;
};

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

void LogTarget::sink_it_(const spdlog::details::log_msg& message) {
  if (!write(message.level, {message.payload.data(), message.payload.size()}))
    lost_.fetch_add(1, std::memory_order_relaxed);
  if (nothing_waits_ && nothing_waits_()) std::this_thread::sleep_for(rest_);
}

void LogTarget::rest_when(std::function<bool()> nothing_waits, std::chrono::milliseconds rest) {
  nothing_waits_ = std::move(nothing_waits);
  rest_ = rest;
}

std::expected<std::shared_ptr<LogTarget>, std::string> open_target(const std::string& target) {
  if (target == "syslog") return open_syslog("/dev/log");
  if (target == "stderr") {
    // A copy above the standard descriptors: whatever becomes of number 2, lines never go into a stranger's
    // socket.
    Descriptor fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (fd.get() < 0) return failure("cannot log to", target, errno);
    return std::make_shared<StreamTarget>(std::move(fd));
  }
  auto fd = open_file(target);
  if (!fd) return std::unexpected(fd.error());
  return std::make_shared<FileTarget>(target, std::move(*fd));
}

std::expected<std::shared_ptr<LogTarget>, std::string> open_syslog(const std::string& path) {
  auto target = std::make_shared<SyslogTarget>(path);
  if (const int error = target->connect(); error != 0) return failure("cannot log to syslog at", path, error);
  return target;
}

}  // namespace postern::observe
