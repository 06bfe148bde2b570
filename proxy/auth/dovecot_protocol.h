#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "parsers/line_buffer.h"
#include "parsers/secret.h"

namespace postern::auth {

// A value as it may stand in a line of Dovecot's: NUL, TAB, CR, LF and \001 become \001 and a letter.
void append_escaped(Secret& line, std::string_view value);
std::optional<std::string> unescape(std::string_view value);  // nullopt: \001 without its letter

// What follows the id of OK and FAIL: "name=value", or "name" alone with an empty value, in order.
struct DovecotFields {
  std::vector<std::pair<std::string, std::string>> named;
  Secret pass;  // the value of "pass", which is not among the others

  const std::string* find(std::string_view name) const;  // the first of this name; null: none
  bool has(std::string_view name) const { return find(name) != nullptr; }
};

struct DovecotReply {
  enum class Kind : std::uint8_t { Continue, Ok, Fail };
  Kind kind = Kind::Fail;
  std::uint32_t id = 0;
  std::optional<std::string> challenge;  // Continue, decoded; nullopt: it was not base64
  DovecotFields fields;                  // Ok, Fail
};

// What Dovecot's authentication service says to its clients (auth-client protocol, version 1): lines of
// fields separated by TAB. A first block names version and mechanisms and ends with DONE; then come the
// replies to questions, in any order. Of Dovecot 2.3 and 2.4.
class DovecotProtocol {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{64} * 1024;

  struct NeedData {};
  struct Ready {};  // once: questions may be sent
  // The last event; the connection is of no use any more. One sentence without unchecked bytes.
  struct Broken {
    std::string why;
  };
  using Event = std::variant<NeedData, Ready, DovecotReply, Broken>;

  struct Mechanism {
    std::string name;     // as it was told
    bool hidden = false;  // "private": for Dovecot's own processes
  };

  // Our half of the first block. `client` must not be 0, nor that of another connection to this service.
  static std::string greeting(std::uint32_t client);

  void receive(std::string_view bytes) { buffer_.append(bytes); }
  Event next();

  bool ready() const { return state_ == State::Answering; }
  const std::vector<Mechanism>& mechanisms() const { return mechanisms_; }
  // A question with another one would make Dovecot close the connection.
  bool offers(std::string_view mechanism) const;

 private:
  enum class State : std::uint8_t { Version, FirstBlock, Answering, Broken };
  Event broken(std::string why);
  std::optional<Event> understand(std::string_view line);  // nullopt: nothing to tell
  std::optional<Event> introduction(std::string_view command, std::string_view rest);
  std::optional<Event> answer(DovecotReply::Kind kind, std::string_view rest);

  State state_ = State::Version;
  LineBuffer buffer_;
  std::vector<Mechanism> mechanisms_;
};

}  // namespace postern::auth
