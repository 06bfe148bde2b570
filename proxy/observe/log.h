#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/observe/record.h"
#include "proxy/time.h"

namespace postern::observe {

enum class Level : std::uint8_t { Debug, Info, Warn, Error };
enum class Format : std::uint8_t { Logfmt, Json };

struct LogSettings {
  Level level = Level::Info;
  Format format = Format::Logfmt;
  std::string target = "stderr";      // "stderr", "syslog", or the path of a file
  std::size_t queue = 4096;           // lines that wait for the target; about 0.5 KB each
  unsigned unnamed_per_second = 100;  // lines of sessions that never named a user; 0: no limit
  Duration close_grace{2000};         // how long the end waits for lines that are still queued
};

// A value of an event. Text is escaped when it is written, and only viewed until then.
class EventValue {
 public:
  using Variant = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <class T>
    requires std::convertible_to<const T&, std::string_view>
  EventValue(const T& text) : value_(std::in_place_type<std::string_view>, std::string_view(text)) {}
  EventValue(std::integral auto number) : value_(widened(number)) {}
  EventValue(double number) : value_(number) {}

  const Variant& get() const { return value_; }

 private:
  template <std::integral T>
  static Variant widened(T number) {
    if constexpr (std::same_as<T, bool>)
      return number;
    else if constexpr (std::signed_integral<T>)
      return static_cast<std::int64_t>(number);
    else
      return static_cast<std::uint64_t>(number);
  }

  Variant value_;
};

struct EventField {
  std::string_view name;  // a literal in snake_case, other than ts, level and msg; written as it is
  EventValue value;
};

// The operator's log: one line per session and one per event, in logfmt or JSON. Handed around by reference,
// may be used from several threads. No call waits for the target: lines go through a bounded queue to a
// thread of the log. When the target is slower than the lines, the oldest waiting lines are lost, and
// counted.
class Log {
 public:
  // The error is one sentence for the operator and names the target.
  static std::expected<std::unique_ptr<Log>, std::string> open(const LogSettings& settings);

  // Waits up to `close_grace` for queued lines; a target that is stuck does not hold up the end.
  ~Log();

  // Writes the line of a session that ended, at the level that level_of() gives it. Sessions that never named
  // a user are written up to `unnamed_per_second`; the others are summed up in one line
  // "msg=sessions_not_logged count=…" before the next line of a later second.
  void session(const SessionRecord& record);

  // `name` is a literal in snake_case, as "config_reloaded"; it becomes msg.
  void event(Level level, std::string_view name, std::initializer_list<EventField> fields = {});

  bool enabled(Level level) const { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }

  // After a rotation: opens the file's path again. When that fails, lines go on to the file that was open.
  // Nothing to do for stderr and syslog.
  std::expected<void, std::string> reopen();

  // Lines lost since open(), because the queue was full or the target failed.
  std::uint64_t dropped() const;

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl, Level level);

  std::unique_ptr<Impl> impl_;
  std::atomic<Level> level_;
};

// Info when all is well or the user is to blame; Warn for a store's, the configuration's or Postern's fault;
// Error for EndedBy::Internal.
Level level_of(const SessionRecord& record);

}  // namespace postern::observe
