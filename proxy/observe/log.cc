#include "proxy/observe/log.h"

#include <chrono>
#include <future>
#include <pthread.h>
#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <thread>
#include <utility>

#include "proxy/observe/log_line.h"
#include "proxy/observe/log_target.h"
#include "proxy/observe/session_line.h"

namespace postern::observe {

namespace {

// What a line may wait for those behind it.
constexpr std::chrono::milliseconds kRest{20};

spdlog::level::level_enum priority(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Signals belong to the main thread; a stderr that was closed is an error of write(), not a SIGPIPE.
void become_log_thread() {
  ::pthread_setname_np(::pthread_self(), "postern-log");
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

struct Log::Impl {
  Impl(const LogSettings& settings, std::shared_ptr<LogTarget> opened)
      : format(settings.format),
        unnamed_per_second(settings.unnamed_per_second),
        close_grace(settings.close_grace),
        target(std::move(opened)),
        pool(std::make_shared<spdlog::details::thread_pool>(settings.queue, 1, become_log_thread)),
        logger(std::make_shared<spdlog::async_logger>("", target, pool,
                                                      spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_level(spdlog::level::trace);  // Log::enabled() decides
    // The pool lives as long as its thread, which alone asks.
    target->rest_when([queue = pool.get()] { return queue->queue_size() == 0; }, kRest);
  }

  void write(Level level, LogLine& line) { logger->log(priority(level), line.finish()); }

  std::uint64_t dropped() const { return pool->overrun_counter() + target->lost(); }

  // Once in a second, tells what the lines of the seconds before did not: the first caller of a second does.
  void summarize(LogLine::Clock::time_point now) {
    const auto this_second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    auto last = second.load(std::memory_order_relaxed);
    if (last == this_second || !second.compare_exchange_strong(last, this_second)) return;
    unnamed.store(0, std::memory_order_relaxed);
    write_summaries(now);
  }

  void write_summaries(LogLine::Clock::time_point now) {
    summarize("sessions_not_logged", "of clients that never named a user", not_logged.exchange(0), now);
    const std::uint64_t total = dropped();
    summarize("log_lines_dropped", "the log's target was too slow or failed",
              total - dropped_before.exchange(total), now);
  }

  void summarize(std::string_view name, std::string_view reason, std::uint64_t count,
                 LogLine::Clock::time_point now) {
    if (count == 0) return;
    LogLine line(format, Level::Warn, now, name);
    line.number("count", count);
    line.text("detail", reason);
    write(Level::Warn, line);
  }

  bool may_log_unnamed() {
    if (unnamed_per_second == 0) return true;
    if (unnamed.fetch_add(1, std::memory_order_relaxed) < unnamed_per_second) return true;
    not_logged.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  const Format format;
  const unsigned unnamed_per_second;
  const Duration close_grace;
  const std::shared_ptr<LogTarget> target;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  const std::shared_ptr<spdlog::async_logger> logger;

  std::atomic<std::int64_t> second{0};           // of the last summary
  std::atomic<std::uint64_t> unnamed{0};         // such lines in this second
  std::atomic<std::uint64_t> not_logged{0};      // since the last summary
  std::atomic<std::uint64_t> dropped_before{0};  // by the last summary
};

std::expected<std::unique_ptr<Log>, std::string> Log::open(const LogSettings& settings) {
  auto target = open_target(settings.target);
  if (!target) return std::unexpected(target.error());
  return std::unique_ptr<Log>(new Log(std::make_unique<Impl>(settings, std::move(*target)), settings.level));
}

Log::Log(std::unique_ptr<Impl> impl, Level level) : impl_(std::move(impl)), level_(level) {}

// The pool's destructor writes what is queued and joins its thread, which a stuck target can hold for ever.
// So it runs on a thread of its own, which is left behind when the grace is over: the process is about to
// end.
Log::~Log() {
  impl_->write_summaries(LogLine::Clock::now());
  std::promise<void> written;
  auto done = written.get_future();
  std::thread([pool = std::move(impl_->pool), promise = std::move(written)]() mutable {
    pool.reset();
    promise.set_value();
  }).detach();
  done.wait_for(impl_->close_grace);
}

void Log::session(const SessionRecord& record) {
  const Level level = level_of(record);
  if (!enabled(level)) return;
  const auto now = LogLine::Clock::now();
  impl_->summarize(now);
  if (record.user.empty() && !impl_->may_log_unnamed()) return;
  LogLine line(impl_->format, level, now, "session");
  write_session(line, record);
  impl_->write(level, line);
}

void Log::event(Level level, std::string_view name, std::initializer_list<EventField> fields) {
  if (!enabled(level)) return;
  const auto now = LogLine::Clock::now();
  impl_->summarize(now);
  LogLine line(impl_->format, level, now, name);
  for (const EventField& field : fields) line.value(field.name, field.value);
  impl_->write(level, line);
}

std::expected<void, std::string> Log::reopen() { return impl_->target->reopen(); }

std::uint64_t Log::dropped() const { return impl_->dropped(); }

Level level_of(const SessionRecord& record) {
  if (record.ended_by == EndedBy::Internal) return Level::Error;
  if (record.fault == Fault::ShuttingDown) return Level::Info;
  switch (describe(record.fault).blame) {
    case Blame::Store:
    case Blame::Configuration:
    case Blame::Source:
    case Blame::Postern:
      return Level::Warn;
    case Blame::Nobody:
    case Blame::Client:
    case Blame::Credentials:
      break;
  }
  return Level::Info;
}

}  // namespace postern::observe
