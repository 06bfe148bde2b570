#include "proxy/files/file_watch.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <semaphore>
#include <sys/stat.h>
#include <thread>

#include "proxy/auth/verifier.h"
#include "tests/temporary_directory.h"
#include "tests/unit/auth/hashes.h"

namespace postern::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A file of its own, the verifier that has it, and the watch over it; the clock stands until it is moved.
class World {
 public:
  World() {
    write("bob:" + std::string(kSha256) + "\n");
    const auto file = PasswdFile::load(path);
    REQUIRE(file);
    verifier = std::make_shared<Verifier>(1, 10, *file);
    watch.emplace(path, (*file)->state(), load_into(verifier),
                  files::FileWatch::Report{
                      .loaded = [this](std::size_t users,
                                       Duration) { told += "loaded " + std::to_string(users) + "\n"; },
                      .failed =
                          [this](const files::Problems& problems) {
                            for (const files::Problem& error : problems)
                              told += std::to_string(error.line) + ": " + error.text + "\n";
                          }});
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // In its place; the time of the content moves on, however coarse the system's clock is.
  void write(const std::string& text) { stamp(folder.write("passwd", text)); }
  // As whoever takes care does it.
  void replace(const std::string& text) {
    const std::string file = folder.write("passwd.new", text);
    stamp(file);
    std::filesystem::rename(file, path);
  }

  // A second passes; a load that began is waited for. What was told then.
  std::string second() {
    now += seconds(1);
    told.clear();
    bool reported = watch->poll(now);
    while (watch->loading()) {
      reported = watch->poll(now) || reported;
      std::this_thread::yield();
    }
    CHECK(reported == !told.empty());
    return told;
  }

  bool opens(const std::string& user, const std::string& password) const {
    std::binary_semaphore answered(0);
    const auto mailbox = std::make_shared<Mailbox>([&answered] { answered.release(); });
    REQUIRE(verifier->submit(user, Secret(password), mailbox, {}));
    answered.acquire();
    return mailbox->take().front().fault == Fault::None;
  }

  TemporaryDirectory folder;
  const std::string path = folder / "passwd";
  std::shared_ptr<Verifier> verifier;
  std::string told;
  std::optional<files::FileWatch> watch;
  Time now{seconds(1'000)};

 private:
  void stamp(const std::string& file) {
    const timespec at{1'800'000'000, ++stamps_};
    const timespec times[] = {at, at};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
  }

  long stamps_ = 0;
};

const std::string kBob = "bob:" + std::string(kSha256) + "\n";     // "secret"
const std::string kBobAnew = "bob:" + std::string(kOther) + "\n";  // "other"
const std::string kAlice = "alice:" + std::string(kSha256) + "\n";

TEST_CASE("a file that does not change is not read again") {
  World world;
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(world.watch->poll(world.now += seconds(1)));
    CHECK_FALSE(world.watch->loading());
  }
}

TEST_CASE("a file that was replaced, or written in its place, counts once it has stood still for a poll") {
  for (const bool rename : {true, false}) {
    CAPTURE(rename);
    World world;
    CHECK(world.opens("bob", "secret"));
    if (rename) {
      world.replace(kBobAnew + kAlice);
    } else {
      world.write(kBobAnew + kAlice);
    }
    CHECK(world.second() == "");
    CHECK(world.opens("bob", "secret"));
    CHECK(world.second() == "loaded 2\n");
    CHECK(world.opens("bob", "other"));
    CHECK_FALSE(world.opens("bob", "secret"));
    CHECK(world.opens("alice", "secret"));
    CHECK(world.second() == "");
  }
}

TEST_CASE("a change of nothing but the content is seen: the size and the time in seconds stay") {
  World world;
  REQUIRE(kBob.size() == kBobAnew.size());
  world.write(kBobAnew);
  world.second();
  CHECK(world.second() == "loaded 1\n");
  CHECK(world.opens("bob", "other"));
}

TEST_CASE("polls that follow each other too closely are no second look") {
  World world;
  world.replace(kBobAnew);
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(world.watch->poll(world.now += milliseconds(99)));
    CHECK_FALSE(world.watch->loading());
  }
  CHECK(world.second() == "loaded 1\n");
}

TEST_CASE("a file that is being written waits until it is not") {
  World world;
  std::string text = kBobAnew;
  for (int i = 0; i < 5; ++i) {
    world.write(text += "user" + std::to_string(i) + ":" + kSha256 + "\n");
    CHECK(world.second() == "");
  }
  CHECK(world.opens("bob", "secret"));
  CHECK(world.second() == "loaded 6\n");
}

TEST_CASE("a file that cannot be used leaves the old one, and is told once") {
  const struct {
    std::string text;
    std::string says;
  } kRows[] = {
      {"", "0: the file is empty\n"},
      {kBobAnew + "alice:$5$rounds=1000$salt",
       "2: not a complete hash of a method of crypt(3) that is supported\n"},
      {"bob:x\nalice\n",
       "1: not a complete hash of a method of crypt(3) that is supported\n2: no colon behind the user\n"},
  };
  World world;
  for (const auto& row : kRows) {
    CAPTURE(row.text);
    world.write(row.text);
    CHECK(world.second() == "");
    CHECK(world.second() == row.says);
    CHECK(world.opens("bob", "secret"));
    CHECK(world.second() == "");
  }
  world.write(kBobAnew);
  world.second();
  CHECK(world.second() == "loaded 1\n");
  CHECK(world.opens("bob", "other"));
}

TEST_CASE("a file that has become empty is refused, and told once for each change") {
  World world;
  world.write("");
  world.second();
  CHECK(world.second() == "0: the file is empty\n");
  world.now += files::FileWatch::kRetry;
  CHECK(world.second() == "");
  world.write("");
  world.second();
  CHECK(world.second() == "0: the file is empty\n");
  CHECK(world.opens("bob", "secret"));
}

TEST_CASE("a file that goes is told, and counts when it comes back, even the same") {
  World world;
  std::filesystem::rename(world.path, world.path + ".away");
  CHECK(world.second() == "");
  CHECK(world.second() == "0: cannot be read: No such file or directory\n");
  CHECK(world.opens("bob", "secret"));
  CHECK(world.second() == "");
  std::filesystem::rename(world.path + ".away", world.path);
  CHECK(world.second() == "");
  CHECK(world.second() == "loaded 1\n");
}

TEST_CASE("a moment without the file is none") {
  World world;
  std::filesystem::remove(world.path);
  CHECK(world.second() == "");
  world.write(kBobAnew);
  CHECK(world.second() == "");
  CHECK(world.second() == "loaded 1\n");
}

TEST_CASE("what is no file is refused, waits for nobody, and is asked for again after a while") {
  World world;
  std::filesystem::remove(world.path);
  REQUIRE(::mkfifo(world.path.c_str(), 0600) == 0);
  world.second();
  CHECK(world.second() == "0: cannot be read: not a regular file\n");
  CHECK(world.second() == "");
  world.now += files::FileWatch::kRetry;
  CHECK(world.second() == "0: cannot be read: not a regular file\n");
}

TEST_CASE("a watch that goes while it loads breaks off, and the old file stays") {
  World world;
  std::string text = kBobAnew;
  for (int i = 0; i < 20'000; ++i) text += "user" + std::to_string(i) + ":" + kSha256 + "\n";
  world.replace(text);
  CHECK_FALSE(world.watch->poll(world.now += seconds(1)));
  CHECK_FALSE(world.watch->poll(world.now += seconds(1)));
  CHECK(world.watch->loading());
  world.watch.reset();
  CHECK(world.told == "");
}

TEST_CASE("a load that is to stop ends with an error") {
  World world;
  std::stop_source stop;
  stop.request_stop();
  const auto file = PasswdFile::load(world.path, stop.get_token());
  REQUIRE_FALSE(file);
  CHECK(file.error()[0].line == 0);
}

}  // namespace
}  // namespace postern::auth
