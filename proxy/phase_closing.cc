#include "proxy/session_context.h"

namespace postern {

namespace {

constexpr std::chrono::seconds kFlush{5};   // for a client that does not read its last words
constexpr std::chrono::seconds kLinger{2};  // for its end, once it has them

}  // namespace

Step Closing::begin(SessionContext& context) {
  context.front.finish(ending);
  until = context.reactor.now() + (context.front.finished() ? std::chrono::seconds(kLinger) : kFlush);
  context.front.want_read(true);
  return Keep{};
}

Step Closing::front_flushed(SessionContext& context) {
  until = context.reactor.now() + kLinger;
  return Keep{};
}

Step Closing::front_readable(SessionContext& context) {
  if (context.front.drain()) return Keep{};
  return Over{};
}

Step Closing::expired(SessionContext& context) {
  if (!context.front.finished()) context.front.break_off();
  return Over{};
}

Time Closing::deadline(const SessionContext&) const { return until; }

}  // namespace postern
