#include "proxy/observe/log.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "proxy/observe/log_target.h"
#include "tests/temporary_directory.h"

using namespace postern;
using namespace postern::observe;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<Log> open_log(const LogSettings& settings) {
  auto log = Log::open(settings);
  REQUIRE(log);
  return std::move(*log);
}

SessionRecord record_of(std::string user) {
  SessionRecord record;
  record.user = std::move(user);
  return record;
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// A pipe as the log's target, which nobody reads until the test does.
struct Pipe {
  explicit Pipe(const std::string& path) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    reader = Descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    REQUIRE(reader.get() >= 0);
    ::fcntl(reader.get(), F_SETPIPE_SZ, 4096);
  }
  // Everything until no writer is left.
  std::string drain() {
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
      pollfd wait{reader.get(), POLLIN, 0};
      ::poll(&wait, 1, -1);
      const auto size = ::read(reader.get(), buffer.data(), buffer.size());
      if (size == 0) return all;
      if (size > 0) all.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  Descriptor reader{};
};

}  // namespace

TEST_CASE("sessions and events are written in order, and those below the level are not") {
  const TemporaryDirectory directory;
  const std::string path = directory / "postern.log";
  {
    const auto log = open_log({.level = Level::Warn, .target = path});
    log->event(Level::Info, "too_quiet");
    log->session(record_of("alice"));
    log->event(Level::Error, "config_refused", {{"file", "postern.toml"}, {"problems", 3U}, {"kept", true}});
    log->set_level(Level::Info);
    log->session(record_of("bob"));
  }
  const std::string text = content_of(path);
  CAPTURE(text);
  CHECK(count_of(text, "\n") == 2);
  CHECK(text.find(" level=error msg=config_refused file=postern.toml problems=3 kept=true\n") !=
        std::string::npos);
  CHECK(text.find(" level=info msg=session protocol=imap user=bob ") != std::string::npos);
}

TEST_CASE("an error at open names the target") {
  const auto log = Log::open({.target = "/nonexistent/postern.log"});
  REQUIRE_FALSE(log);
  CHECK(log.error() == "cannot open log file /nonexistent/postern.log: No such file or directory");
}

TEST_CASE("a target that does not take lines blocks no caller, and what is lost is counted and told") {
  const TemporaryDirectory directory;
  const std::string path = directory / "pipe";
  Pipe pipe(path);
  auto log = open_log({.target = path, .queue = 16, .close_grace = 60s});
  constexpr std::uint64_t kLines = 2000;
  for (std::uint64_t i = 0; i < kLines; ++i) log->session(record_of("user" + std::to_string(i)));
  CHECK(log->dropped() > 0);
  std::string text;
  std::thread reader([&pipe, &text] { text = pipe.drain(); });
  log.reset();  // its last summary goes into the queue too
  reader.join();
  CHECK(count_of(text, "msg=log_lines_dropped count=") >= 1);
  CHECK(text.find("user=user1999 ") != std::string::npos);  // the newest lines survive
  CHECK(count_of(text, "msg=session") < kLines);
}

TEST_CASE("lines written and lines dropped add up") {
  const TemporaryDirectory directory;
  const std::string path = directory / "pipe";
  Pipe pipe(path);
  auto log = open_log({.target = path, .queue = 16, .close_grace = 60s});
  constexpr std::size_t kLines = 500;
  for (std::size_t i = 0; i < kLines; ++i) log->event(Level::Info, "tick", {{"number", i}});
  const std::uint64_t dropped = log->dropped();
  std::string text;
  std::thread reader([&pipe, &text] { text = pipe.drain(); });
  log.reset();
  reader.join();
  const std::uint64_t written = count_of(text, "msg=tick");
  CHECK(dropped > 0);
  CHECK(written + dropped >= kLines - 1);   // the last summary may have pushed out one more
  CHECK(written + dropped <= kLines + 60);  // summaries that were pushed out count too, one in a second
}

TEST_CASE("a stuck target does not hold up the end for longer than the grace") {
  const TemporaryDirectory directory;
  const std::string path = directory / "pipe";
  Pipe pipe(path);
  {
    const auto log = open_log({.target = path, .queue = 64, .close_grace = 1ms});
    for (int i = 0; i < 100; ++i) log->session(record_of("alice"));
  }
  CHECK(count_of(pipe.drain(), "\n") > 0);  // the thread that was left behind still writes, and ends
}

TEST_CASE("a full disk drops every line and blocks nobody") {
  auto log = open_log({.target = "/dev/full"});
  for (int i = 0; i < 20; ++i) log->session(record_of("alice"));
  while (log->dropped() < 20) std::this_thread::yield();
  CHECK(log->dropped() == 20);
}

TEST_CASE("a reader of the log that goes away costs lines, not the process") {
  const TemporaryDirectory directory;
  const std::string path = directory / "pipe";
  Pipe pipe(path);
  auto log = open_log({.target = path});
  pipe.reader = Descriptor();
  log->session(record_of("alice"));
  while (log->dropped() < 1) std::this_thread::yield();
  CHECK(log->dropped() == 1);
}

TEST_CASE("a flood of sessions that never name a user is summed up, named users are always logged") {
  const TemporaryDirectory directory;
  const std::string path = directory / "postern.log";
  {
    const auto log = open_log({.target = path, .queue = 8192, .unnamed_per_second = 10, .close_grace = 60s});
    for (int i = 0; i < 1000; ++i) log->session(SessionRecord{});
    for (int i = 0; i < 100; ++i) log->session(record_of("alice"));
  }
  const std::string text = content_of(path);
  CHECK(count_of(text, "user=alice") == 100);
  const std::size_t unnamed = count_of(text, "msg=session ") - 100;
  CHECK(unnamed >= 10);
  CHECK(unnamed < 1000);
  std::size_t summed = 0;
  for (auto at = text.find("msg=sessions_not_logged count="); at != std::string::npos;
       at = text.find("msg=sessions_not_logged count=", at + 1))
    summed += std::stoul(text.substr(at + 30));
  CHECK(unnamed + summed == 1000);
}

TEST_CASE("reopen() after a rotation writes on to the new file") {
  const TemporaryDirectory directory;
  const std::string path = directory / "postern.log";
  {
    const auto log = open_log({.target = path, .close_grace = 60s});
    REQUIRE(log->reopen());
    std::filesystem::rename(path, path + ".1");
    REQUIRE(log->reopen());
    log->event(Level::Info, "after");
  }
  CHECK(count_of(content_of(path), "msg=after") == 1);
}

TEST_CASE("several threads log whole lines") {
  const TemporaryDirectory directory;
  const std::string path = directory / "postern.log";
  {
    const auto log = open_log({.format = Format::Json, .target = path, .queue = 8192, .close_grace = 60s});
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&log] {
        for (int i = 0; i < 500; ++i) log->session(record_of("alice"));
      });
  }
  const std::string text = content_of(path);
  CHECK(count_of(text, "\n") == 2000);
  CHECK(count_of(text, "}\n") == 2000);
  CHECK(count_of(text, "{\"ts\":\"") == 2000);
}
