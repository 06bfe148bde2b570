#include "proxy/observe/log_target.h"

#include <array>
#include <doctest/doctest.h>
#include <filesystem>
#include <signal.h>
#include <spdlog/details/log_msg.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/temporary_directory.h"

using namespace postern;
using namespace postern::observe;

namespace {

void log(LogTarget& target, std::string_view text, spdlog::level::level_enum level = spdlog::level::info) {
  target.log(spdlog::details::log_msg("", level, spdlog::string_view_t(text.data(), text.size())));
}

// A syslog daemon's socket.
class Daemon {
 public:
  explicit Daemon(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    std::filesystem::remove(path);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  std::string receive() {
    std::array<char, 4096> buffer{};
    const auto size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

 private:
  Descriptor fd_;
};

}  // namespace

TEST_CASE("a full disk costs the lines, and they are counted") {
  auto target = open_target("/dev/full");
  REQUIRE(target);
  for (int i = 0; i < 5; ++i) log(**target, "line");
  CHECK((*target)->lost() == 5);
}

TEST_CASE("a file that cannot be opened is an error that names it") {
  const TemporaryDirectory directory;
  const std::string path = directory / "missing/postern.log";
  const auto target = open_target(path);
  REQUIRE_FALSE(target);
  CHECK(target.error() == "cannot open log file " + path + ": No such file or directory");
}

TEST_CASE("after a rotation lines go to the new file, and a failed reopening keeps the old one") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "log");
  const std::string path = directory / "log/postern.log";
  auto target = open_target(path);
  REQUIRE(target);
  log(**target, "one");
  std::filesystem::rename(path, path + ".1");
  log(**target, "two");
  REQUIRE((*target)->reopen());
  log(**target, "three");
  CHECK(content_of(path + ".1") == "one\ntwo\n");
  CHECK(content_of(path) == "three\n");

  std::filesystem::rename(directory / "log", directory / "gone");
  const auto failed = (*target)->reopen();
  REQUIRE_FALSE(failed);
  CHECK(failed.error() == "cannot open log file " + path + ": No such file or directory");
  log(**target, "four");
  CHECK(content_of(directory / "gone/postern.log") == "three\nfour\n");
  CHECK((*target)->lost() == 0);
}

TEST_CASE("a line that broke off in its middle is not continued by the next") {
  const TemporaryDirectory directory;
  const std::string path = directory / "postern.log";
  auto target = open_target(path);
  REQUIRE(target);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{.rlim_cur = 4, .rlim_max = before.rlim_max};  // a disk with room for 4 bytes
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &full);
  log(**target, "broken off");
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  log(**target, "whole");
  log(**target, "again");
  CHECK(content_of(path) == "brok\nwhole\nagain\n");
  CHECK((*target)->lost() == 1);
}

TEST_CASE("syslog gets facility mail, the level's priority and the program's name") {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  Daemon daemon(path);
  auto target = open_syslog(path);
  REQUIRE(target);
  log(**target, "ts=now level=warn msg=x", spdlog::level::warn);
  const std::string got = daemon.receive();
  CAPTURE(got);
  // <20> is mail's 2 * 8 and a warning's 4, then "Nov 22 21:05:55".
  REQUIRE(got.size() > 19);
  CHECK(got.starts_with("<20>"));
  std::string stamp = got.substr(4, 15);
  for (char& c : stamp) c = c >= '0' && c <= '9' ? '0' : c;
  CHECK((stamp.ends_with(" 00 00:00:00") || stamp.ends_with("  0 00:00:00")));
  CHECK(got.substr(19) == " postern[" + std::to_string(::getpid()) + "]: ts=now level=warn msg=x");
}

TEST_CASE("a syslog daemon that is gone costs lines, and one that comes back gets the next") {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  CHECK(open_syslog(path).error() == "cannot log to syslog at " + path + ": No such file or directory");
  std::shared_ptr<LogTarget> target;
  {
    Daemon daemon(path);
    target = *open_syslog(path);
  }
  log(*target, "lost");
  CHECK(target->lost() == 1);
  Daemon again(path);
  log(*target, "arrives");
  CHECK(target->lost() == 1);
  CHECK(again.receive().ends_with(": arrives"));
}
