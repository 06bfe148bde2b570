#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/observe/log_line.h"
#include "proxy/observe/record.h"

namespace postern::observe {

// One field of a session's line. The table of all of them is what the line, in both formats, and LOG.md come
// from.
struct SessionField {
  std::string_view name;
  std::string_view meaning;
  void (*write)(LogLine& line, std::string_view name, const SessionRecord& record);
};
std::span<const SessionField> session_fields();

void write_session(LogLine& line, const SessionRecord& record);

// ok, refused (the user's or a limit's doing), failed (a store, the configuration or Postern is to blame),
// abandoned (the client left while its login was under way), none (no login was tried).
std::string_view result_word(const SessionRecord& record);

// LOG.md: every field and every end code.
std::string log_reference();

// User names and other text of a client are cut at this many bytes in the log.
inline constexpr std::size_t kTextLimit = 255;

}  // namespace postern::observe
