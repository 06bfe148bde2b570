#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/auth/file_state.h"
#include "proxy/auth/passwd.h"
#include "proxy/auth/verifier.h"
#include "proxy/time.h"

namespace postern::auth {

// Rereads a password file when it has changed, in a thread of its own, and gives it to the verifier. A file
// that cannot be used leaves the old one in place. What changes is believed when it has stood still for
// kSettled; whoever writes a new file beside the old one and renames it is safe from every half of a file.
class PasswdWatch {
 public:
  static constexpr std::chrono::milliseconds kSettled{500};
  static constexpr std::chrono::seconds kRetry{60};  // of a file that is there and could not be read

  // Called by poll().
  struct Report {
    std::function<void(std::size_t users, Duration took)> loaded;
    std::function<void(const std::vector<PasswdError>& errors)> failed;  // the old file stays
  };

  // `current` is the state of the file that the verifier has: PasswdFile::state().
  PasswdWatch(std::string path, const FileState& current, std::shared_ptr<Verifier> verifier, Report report);
  // Breaks off a load that runs; what it was loading is not told.
  ~PasswdWatch();
  PasswdWatch(const PasswdWatch&) = delete;
  PasswdWatch& operator=(const PasswdWatch&) = delete;

  // To be called about once a second. Looks at the file, and takes what a load has brought; never waits for
  // one. True: it has reported.
  bool poll(Time now);

  bool loading() const { return load_ != nullptr; }

 private:
  struct Load;
  bool finish(Time now);
  bool settled(Time now, const std::optional<FileState>& found);

  const std::string path_;
  const std::shared_ptr<Verifier> verifier_;
  const Report report_;
  std::optional<FileState> known_;      // that was loaded, or refused
  std::optional<FileState> candidate_;  // that was seen since `since_`
  Time since_ = kNever;                 // kNever: nothing has changed
  Time retry_ = kNever;
  std::unique_ptr<Load> load_;
};

}  // namespace postern::auth
