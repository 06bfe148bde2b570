#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <string>
#include <string_view>

namespace postern::observe {

// A file descriptor that closes itself; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Where lines go. Written to by the log's own thread alone, which may block there for as long as it takes.
class LogTarget : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // Any thread. The error is one sentence; the target that was open stays in use.
  virtual std::expected<void, std::string> reopen() { return {}; }
  // Before the first line. While nothing waits, the thread rests so long after a line: who logs meanwhile
  // does not have to wake it, which costs more than the line itself.
  void rest_when(std::function<bool()> nothing_waits, std::chrono::milliseconds rest);
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 protected:
  // False: the line is lost.
  virtual bool write(spdlog::level::level_enum level, std::string_view line) = 0;

 private:
  void sink_it_(const spdlog::details::log_msg& message) final;
  void flush_() final {}

  std::atomic<std::uint64_t> lost_{0};
  std::function<bool()> nothing_waits_;
  std::chrono::milliseconds rest_{0};
};

// "stderr", "syslog" or a file's path. The error is one sentence that names the target.
std::expected<std::shared_ptr<LogTarget>, std::string> open_target(const std::string& target);

// The syslog daemon that listens on a datagram socket, normally /dev/log. Facility mail. When the daemon was
// restarted, the next line connects again.
std::expected<std::shared_ptr<LogTarget>, std::string> open_syslog(const std::string& path);

}  // namespace postern::observe
