#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "parsers/fault.h"
#include "parsers/imap/text.h"
#include "parsers/line_buffer.h"
#include "parsers/secret.h"

namespace postern {

// One argument of a command. Any of them may be a password.
struct ImapArgument {
  enum class Kind : std::uint8_t { Atom, String, List };  // String: quoted or literal

  Kind kind = Kind::Atom;
  Secret text;                      // unescaped; a List has none
  std::vector<ImapArgument> items;  // of a List; never Lists themselves
};

struct ImapCommand {
  std::string tag;   // empty: what came could not be a tag, and must not be echoed
  std::string name;  // in upper case; not necessarily one that exists
  std::vector<ImapArgument> arguments;
};

// Reads a client's commands, one at a time, across their literals (RFC 9051 §2.2.1, §4, §9). It is strict:
// single spaces, no octet that the grammar does not have. It knows no command by name, so the literals of an
// unknown command are read as such and never as commands. Each byte is looked at once.
//
// A line may end in LF alone. CR anywhere else makes the command malformed.
class ImapLexer {
 public:
  // More bytes are needed.
  struct NeedMore {};
  // The client waits for a continuation request before it sends a literal whose size has been checked. Send
  // one and call read() again, or answer the command and call abandon().
  struct Continue {};
  // The command is over and can't be used. What the client sends next is its next command.
  struct Malformed {
    std::string tag;           // as in ImapCommand
    std::string_view code;     // a response code; may be empty
    std::string_view problem;  // a constant, for the client
  };
  // Too long, and the rest can't be told from commands any more: the session must end. The lexer is done.
  struct TooLong {
    std::string tag;  // empty also when its line has no end yet
    Fault fault;      // LineTooLong or LiteralTooLong
  };
  using Result = std::variant<NeedMore, Continue, ImapCommand, Malformed, TooLong>;

  static constexpr std::size_t kItemsMax = 128;  // arguments of one command, those in its lists included

  // `line` limits one command with its literals, line ends not counted; `literal` limits each literal.
  ImapLexer(std::size_t line, std::size_t literal) : line_limit_(line), literal_limit_(literal) {}

  Result read(LineBuffer& buffer);

  // The command as far as it has been read.
  const ImapCommand& unfinished() const { return command_; }
  void abandon();

  // Bytes of the unfinished command that were taken out of the buffer.
  std::size_t held() const { return used_; }

 private:
  void lex_line(std::string_view line);
  void lex_head(std::string_view line);
  void lex_arguments(std::string_view rest);
  bool lex_item(std::string_view& rest);
  bool lex_quoted(std::string_view& rest);
  void take_literal(std::string_view bytes);
  std::optional<Result> check_literal();
  bool add(ImapArgument::Kind kind, std::string_view text);
  ImapArgument& last();
  bool fail(std::string_view problem);
  Malformed malformed(std::string_view code);
  Result finish();

  std::size_t line_limit_;
  std::size_t literal_limit_;

  ImapCommand command_;
  std::string_view problem_;            // the first one found; empty: none
  std::optional<LiteralMark> literal_;  // announced, and not here yet
  std::size_t used_ = 0;
  std::size_t items_ = 0;
  bool head_read_ = false;
  bool in_list_ = false;
};

}  // namespace postern
