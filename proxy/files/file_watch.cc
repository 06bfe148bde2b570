#include "proxy/files/file_watch.h"

#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

namespace postern::files {

// One load. Its thread writes everything but `thread`, and `done` last.
struct FileWatch::Running {
  std::optional<FileState> state;  // that was loaded or refused
  bool shrunk = false;             // to nothing
  bool moved = false;              // the file changed while it was read: nothing is known
  std::size_t users = 0;
  Duration took{0};
  Problems problems;  // empty: it was taken
  std::atomic<bool> done = false;
  std::jthread thread;  // last: its end comes before that of what it writes

  void run(const std::stop_token& stop, const std::string& path, const Load& load) {
    const auto begin = std::chrono::steady_clock::now();
    if (shrunk) {
      problems.push_back({0, "the file is empty"});
    } else if (auto content = load(path, stop)) {
      state = content->state;
      moved = FileState::of(path) != state;
      users = content->users;
      if (!moved && !stop.stop_requested()) content->take();
    } else {
      moved = FileState::of(path) != state;
      problems = std::move(content).error();
    }
    took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
    done.store(true, std::memory_order_release);
  }
};

FileWatch::FileWatch(std::string path, const FileState& current, Load load, Report report)
    : path_(std::move(path)),
      load_(std::move(load)),
      report_(std::move(report)),
      size_(current.size),
      known_(current) {}

FileWatch::~FileWatch() = default;

bool FileWatch::poll(Time now) {
  bool reported = false;
  if (running_) {
    if (!running_->done.load(std::memory_order_acquire)) return false;
    reported = finish(now);
  }
  const std::optional<FileState> found = FileState::of(path_);
  if (!settled(now, found)) return reported;
  since_ = kNever;
  retry_ = kNever;
  running_ = std::make_unique<Running>();
  running_->state = found;
  running_->shrunk = size_ > 0 && found && found->regular && found->size == 0;
  try {
    running_->thread = std::jthread([running = running_.get(), path = path_, load = load_](
                                        const std::stop_token& stop) { running->run(stop, path, load); });
  } catch (const std::system_error& error) {
    running_.reset();
    retry_ = now + kRetry;
    report_.failed({{0, std::string("no thread to read it: ") + error.what()}});
    return true;
  }
  return reported;
}

// It is not what is known, and has been the same for a while.
bool FileWatch::settled(Time now, const std::optional<FileState>& found) {
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

bool FileWatch::finish(Time now) {
  const std::unique_ptr<Running> load = std::move(running_);
  load->thread.join();
  if (load->moved) return false;
  known_ = load->state;
  if (load->problems.empty()) {
    size_ = known_->size;
    report_.loaded(load->users, load->took);
  } else {
    const bool unread = load->problems.front().line == 0 && !load->shrunk;
    if (known_ && unread) retry_ = now + kRetry;
    report_.failed(load->problems);
  }
  return true;
}

}  // namespace postern::files
