#include "proxy/auth/passwd_watch.h"

#include <atomic>
#include <stop_token>
#include <thread>
#include <utility>

namespace postern::auth {

// One load. Its thread writes everything but `thread`, and `done` last.
struct PasswdWatch::Load {
  std::optional<FileState> state;  // that was loaded or refused
  bool moved = false;              // the file changed while it was read: nothing is known
  std::size_t users = 0;
  Duration took{0};
  std::vector<PasswdError> errors;  // empty: the verifier has it
  std::atomic<bool> done = false;
  std::jthread thread;  // last: its end comes before that of what it writes

  void run(const std::stop_token& stop, const std::string& path, Verifier& verifier) {
    const auto begin = std::chrono::steady_clock::now();
    if (state && state->regular && state->size == 0) {
      errors.push_back({0, "the file is empty"});
    } else if (PasswdFile::Result file = PasswdFile::load(path, stop)) {
      state = (*file)->state();
      moved = FileState::of(path) != state;
      users = (*file)->size();
      if (!moved && !stop.stop_requested()) verifier.replace(*std::move(file));
    } else {
      moved = FileState::of(path) != state;
      errors = std::move(file).error();
    }
    took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
    done.store(true, std::memory_order_release);
  }
};

PasswdWatch::PasswdWatch(std::string path, const FileState& current, std::shared_ptr<Verifier> verifier,
                         Report report)
    : path_(std::move(path)), verifier_(std::move(verifier)), report_(std::move(report)), known_(current) {}

PasswdWatch::~PasswdWatch() = default;

bool PasswdWatch::poll(Time now) {
  bool reported = false;
  if (load_) {
    if (!load_->done.load(std::memory_order_acquire)) return false;
    reported = finish(now);
  }
  const std::optional<FileState> found = FileState::of(path_);
  if (!settled(now, found)) return reported;
  since_ = kNever;
  retry_ = kNever;
  load_ = std::make_unique<Load>();
  load_->state = found;
  load_->thread = std::jthread([load = load_.get(), path = path_, verifier = verifier_](
                                   const std::stop_token& stop) { load->run(stop, path, *verifier); });
  return reported;
}

// It is not what is known, and has been the same for a while.
bool PasswdWatch::settled(Time now, const std::optional<FileState>& found) {
  if (found == known_) {
    since_ = kNever;
    return now >= retry_;
  }
  if (since_ == kNever || found != candidate_) {
    candidate_ = found;
    since_ = now;
    return false;
  }
  return now - since_ >= kSettled;
}

bool PasswdWatch::finish(Time now) {
  const std::unique_ptr<Load> load = std::move(load_);
  load->thread.join();
  if (load->moved) return false;
  known_ = load->state;
  if (load->errors.empty()) {
    report_.loaded(load->users, load->took);
  } else {
    const bool unread = load->errors.front().line == 0;
    if (known_ && unread) retry_ = now + kRetry;
    report_.failed(load->errors);
  }
  return true;
}

}  // namespace postern::auth
