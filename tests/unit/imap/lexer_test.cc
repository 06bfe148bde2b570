#include "parsers/imap/lexer.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace postern {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kLine = 200;
constexpr std::size_t kLiteral = 40;

std::string shown(const std::vector<ImapArgument>& arguments) {
  std::string text;
  for (const ImapArgument& argument : arguments) {
    if (!text.empty()) text += ' ';
    if (argument.kind == ImapArgument::Kind::List) {
      text += "(" + shown(argument.items) + ")";
    } else {
      const char mark = argument.kind == ImapArgument::Kind::Atom ? '\'' : '"';
      text += mark + std::string(argument.text.reveal()) + mark;
    }
  }
  return text;
}

std::string shown(const ImapLexer::Result& result) {
  if (std::holds_alternative<ImapLexer::NeedMore>(result)) return "";
  if (std::holds_alternative<ImapLexer::Continue>(result)) return "+;";
  if (const auto* bad = std::get_if<ImapLexer::Malformed>(&result)) {
    return "bad:" + bad->tag + (bad->code.empty() ? "" : "[" + std::string(bad->code) + "]") + ";";
  }
  if (const auto* long_ = std::get_if<ImapLexer::TooLong>(&result)) {
    return "long:" + long_->tag + ":" + std::string(name_of(long_->fault)) + ";";
  }
  const auto& command = std::get<ImapCommand>(result);
  return command.tag + ":" + command.name + ":" + shown(command.arguments) + ";";
}

// Everything that is read of `bytes`, which arrive in pieces of `piece` bytes.
std::string lex(std::string_view bytes, std::size_t piece) {
  ImapLexer lexer(kLine, kLiteral);
  LineBuffer buffer;
  std::string all;
  while (!bytes.empty()) {
    buffer.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      const ImapLexer::Result result = lexer.read(buffer);
      all += shown(result);
      if (std::holds_alternative<ImapLexer::TooLong>(result)) return all;
      if (std::holds_alternative<ImapLexer::NeedMore>(result)) break;
    }
  }
  return all;
}

struct Row {
  std::string_view bytes;
  std::string expected;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, row.bytes.size()}) {
      CAPTURE(piece);
      CHECK(lex(row.bytes, piece) == row.expected);
    }
  }
}

}  // namespace

TEST_CASE("commands are read with all kinds of arguments") {
  check({
      {"a NOOP\r\n", "a:NOOP:;"},
      {"a noop\n", "a:NOOP:;"},
      {"a NOOP\r\nb NOOP\r\n", "a:NOOP:;b:NOOP:;"},
      {"a LOGIN alice pw]d\r\n", "a:LOGIN:'alice' 'pw]d';"},
      {"a LOGIN \"al\\\"i\\\\ce\" \"\"\r\n", "a:LOGIN:\"al\"i\\ce\" \"\";"},
      {"a ID NIL\r\n", "a:ID:'NIL';"},
      {"a ID ()\r\n", "a:ID:();"},
      {"a ID (\"k\" NIL) x ()\r\n", "a:ID:(\"k\" 'NIL') 'x' ();"},
  });
}

TEST_CASE("literals are read in every position") {
  check({
      {"a LOGIN {5+}\r\nalice {2+}\r\npw\r\n", "a:LOGIN:\"alice\" \"pw\";"},
      {"a LOGIN {5}\r\nalice {2}\r\npw\r\n", "+;+;a:LOGIN:\"alice\" \"pw\";"},
      {"a LOGIN {0}\r\n \"\"\r\n", "+;a:LOGIN:\"\" \"\";"},
      {"a ID ({2+}\r\nk\n NIL {1}\r\nv \"\")\r\n", "+;a:ID:(\"k\n\" 'NIL' \"v\" \"\");"},
      {"a ID ({1+}\r\nk {1+}\r\nv)\r\nb NOOP\r\n", "a:ID:(\"k\" \"v\");b:NOOP:;"},
      {"a X {8+}\r\nb LOGOUT\r\nc NOOP\r\n", "a:X:\"b LOGOUT\";c:NOOP:;"},
  });
}

TEST_CASE("a malformed command takes its literals with it") {
  check({
      {"a  X {4+}\r\nb X\r {3+}\r\nxyz\r\nc NOOP\r\n", "bad:a;c:NOOP:;"},
      {"+ X {4+}\r\nb X\r\r\nc NOOP\r\n", "bad:;c:NOOP:;"},
      {"a X \"open {4+}\r\nb X\r\r\nc NOOP\r\n", "bad:a;c:NOOP:;"},
      {"a X {3+}\r\nx\0y\r\nc NOOP\r\n"sv, "bad:a;c:NOOP:;"},
      {"a X {3+}\r\nx\0y {1+}\r\n\n\r\nc NOOP\r\n"sv, "bad:a;c:NOOP:;"},
      {"a X {1+}\r\nxy\r\nc NOOP\r\n", "bad:a;c:NOOP:;"},
  });
}

TEST_CASE("a malformed command does not ask for a literal that waits") {
  check({
      {"a  X {4}\r\nc NOOP\r\n", "bad:a;c:NOOP:;"},
      {"a X {3+}\r\nx\0y {1}\r\nc NOOP\r\n"sv, "bad:a;c:NOOP:;"},
  });
}

TEST_CASE("the size of a literal is judged before its octets come") {
  check({
      {"a X {40}\r\n", "+;"},
      {"a X {41}\r\nc NOOP\r\n", "bad:a[TOOBIG];c:NOOP:;"},
      {"a X {18446744073709551616}\r\nc NOOP\r\n", "bad:a[TOOBIG];c:NOOP:;"},
      {"a X {41+}\r\nc NOOP\r\n", "long:a:literal_too_long;"},
      {"a  X {41+}\r\nc NOOP\r\n", "long:a:literal_too_long;"},
      {"( X {41+}\r\nc NOOP\r\n", "long::literal_too_long;"},
  });
}

TEST_CASE("the limit of a command counts its lines and its literals") {
  const std::string forty(40, 'x');
  const std::string four_literals = "a X {40+}\r\n" + forty + " {40+}\r\n" + forty + " {40+}\r\n" + forty +
                                    " {40";  // 9 + 3 * 40 + 2 * 6 + 4 so far
  check({
      {four_literals + "+}\r\n" + forty + "\r\n",
       "a:X:\"" + forty + "\" \"" + forty + "\" \"" + forty + "\" \"" + forty + "\";"},
      {four_literals + "+}\r\n" + forty + " " + std::string(13, 'y'), "long:a:line_too_long;"},
  });
  CHECK(lex(std::string(kLine, 'a'), 1).empty());
  CHECK(lex(std::string(kLine + 1, 'a'), 1) == "long::line_too_long;");
  CHECK(lex(std::string(kLine + 1, 'a') + "\r\n", 1000) == "long::line_too_long;");
}

TEST_CASE("what follows a command is not counted into its limit") {
  std::string many;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    many += "a NOOP\r\n";
    expected += "a:NOOP:;";
  }
  CHECK(lex(many, many.size()) == expected);
}

TEST_CASE("arguments are counted across lists and literals") {
  ImapLexer lexer(100'000, 10);
  const auto read = [&lexer](const std::string& bytes) {
    LineBuffer buffer;
    buffer.append(bytes);
    return shown(lexer.read(buffer)).substr(0, 4);
  };
  const auto repeated = [](std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
  };
  CHECK(read("a X" + repeated(" x", ImapLexer::kItemsMax) + "\r\n") == "a:X:");
  CHECK(read("a X" + repeated(" x", ImapLexer::kItemsMax + 1) + "\r\n") == "bad:");
  CHECK(read("a X (x" + repeated(" x", ImapLexer::kItemsMax - 2) + ")\r\n") == "a:X:");
  CHECK(read("a X (x" + repeated(" x", ImapLexer::kItemsMax - 1) + ")\r\n") == "bad:");
  CHECK(read("a X" + repeated(" ()", ImapLexer::kItemsMax) + "\r\n") == "a:X:");
  CHECK(read("a X" + repeated(" {0+}\r\n", ImapLexer::kItemsMax + 1) + "\r\n") == "bad:");
}

TEST_CASE("held() tells what was taken out of the buffer, and nothing between commands") {
  ImapLexer lexer(kLine, kLiteral);
  LineBuffer buffer;
  buffer.append("a LOGIN {5}\r\n");
  CHECK(std::holds_alternative<ImapLexer::Continue>(lexer.read(buffer)));
  CHECK(lexer.held() == 11);
  CHECK(lexer.unfinished().tag == "a");
  CHECK(lexer.unfinished().name == "LOGIN");
  buffer.append("alice");
  CHECK(std::holds_alternative<ImapLexer::NeedMore>(lexer.read(buffer)));
  CHECK(lexer.held() == 16);
  buffer.append(" x\r\n");
  CHECK(std::holds_alternative<ImapCommand>(lexer.read(buffer)));
  CHECK(lexer.held() == 0);
}

TEST_CASE("an abandoned command leaves nothing behind") {
  ImapLexer lexer(kLine, kLiteral);
  LineBuffer buffer;
  buffer.append("a ID (\"k\" {5}\r\n");
  CHECK(std::holds_alternative<ImapLexer::Continue>(lexer.read(buffer)));
  lexer.abandon();
  CHECK(lexer.held() == 0);
  buffer.append("b NOOP\r\n");
  CHECK(shown(lexer.read(buffer)) == "b:NOOP:;");
}

}  // namespace postern
