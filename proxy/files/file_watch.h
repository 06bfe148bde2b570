#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "proxy/files/file_state.h"
#include "proxy/files/problem.h"
#include "proxy/time.h"

namespace postern::files {

// Rereads a file when it has changed, in a thread of its own. A file that cannot be used leaves the old one
// in place. What changes is believed when it has stood still for kSettled, and one that shrinks to nothing is
// not: whoever writes a new file beside the old one and renames it is safe from every half of a file.
class FileWatch {
 public:
  static constexpr std::chrono::milliseconds kSettled{500};
  static constexpr std::chrono::seconds kRetry{60};  // of a file that is there and could not be read

  // What a load has read.
  struct Content {
    FileState state;             // of the file when it was opened
    std::size_t users = 0;       // for the log
    std::function<void()> take;  // puts it in the old one's place
  };
  // Both are called by the thread; `take` when the file did not change while it was read.
  using Load =
      std::function<std::expected<Content, Problems>(const std::string& path, const std::stop_token& stop)>;
  // Called by poll().
  struct Report {
    std::function<void(std::size_t users, Duration took)> loaded;
    std::function<void(const Problems& problems)> failed;  // the old file stays
  };

  // `current` is the state of the file that is in use.
  FileWatch(std::string path, const FileState& current, Load load, Report report);
  // Breaks off a load that runs; what it was loading is not told.
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // To be called about once a second. Looks at the file, and takes what a load has brought; never waits for
  // one. True: it has reported.
  bool poll(Time now);

  bool loading() const { return running_ != nullptr; }

 private:
  struct Running;
  bool finish(Time now);
  bool settled(Time now, const std::optional<FileState>& found);

  const std::string path_;
  const Load load_;
  const Report report_;
  std::int64_t size_;                   // of the file that is in use
  std::optional<FileState> known_;      // that was loaded, or refused
  std::optional<FileState> candidate_;  // that was seen since `since_`
  Time since_ = kNever;                 // kNever: nothing has changed
  Time retry_ = kNever;
  std::unique_ptr<Running> running_;
};

}  // namespace postern::files
