#include "parsers/imap/lexer.h"

#include <utility>

namespace postern {

ImapLexer::Result ImapLexer::read(LineBuffer& buffer) {
  for (;;) {
    if (literal_) {
      const auto size = static_cast<std::size_t>(literal_->size);
      if (!buffer.has(size)) return NeedMore{};
      take_literal(buffer.take(size));
    }
    const auto got = buffer.next_line(line_limit_ - used_);
    if (std::holds_alternative<LineBuffer::NeedMore>(got)) return NeedMore{};
    if (std::holds_alternative<LineBuffer::TooLong>(got)) return TooLong{command_.tag, Fault::LineTooLong};

    const std::string_view line = std::get<LineBuffer::Line>(got).text;
    used_ += line.size();
    lex_line(line);
    if (!literal_) return finish();
    if (auto result = check_literal()) return std::move(*result);
  }
}

void ImapLexer::abandon() {
  command_ = {};
  problem_ = {};
  literal_.reset();
  used_ = 0;
  items_ = 0;
  head_read_ = false;
  in_list_ = false;
}

void ImapLexer::lex_line(std::string_view line) {
  if (!problem_.empty()) {
    // Nothing but the literal at its end matters any more.
  } else if (head_read_) {
    lex_arguments(line);
  } else {
    head_read_ = true;
    lex_head(line);
  }
  if (!problem_.empty()) literal_ = literal_mark_at_end(line);
}

void ImapLexer::lex_head(std::string_view line) {
  const std::string_view tag = line.substr(0, line.find(' '));
  if (!is_imap_tag(tag)) {
    fail("A command begins with a tag.");
    return;
  }
  command_.tag = tag;
  line.remove_prefix(tag.size());
  if (line.size() < 2) {
    fail("The command is missing.");
    return;
  }
  line.remove_prefix(1);
  const std::string_view name = line.substr(0, line.find(' '));
  if (!is_atom(name)) {
    fail("The tag is followed by one space and the command's name.");
    return;
  }
  command_.name = to_upper(name);
  lex_arguments(line.substr(name.size()));
}

// `rest` begins right behind the name, an item or a literal.
void ImapLexer::lex_arguments(std::string_view rest) {
  while (!rest.empty()) {
    if (in_list_ && rest.starts_with(')')) {
      in_list_ = false;
      rest.remove_prefix(1);
      continue;
    }
    if (!rest.starts_with(' ')) {
      fail("Arguments are separated by one space.");
      return;
    }
    rest.remove_prefix(1);
    if (!in_list_ && rest.starts_with('(')) {
      if (!add(ImapArgument::Kind::List, {})) return;
      in_list_ = true;
      rest.remove_prefix(1);
      if (rest.starts_with(')')) continue;
    }
    if (!lex_item(rest)) return;
  }
  if (in_list_ && !literal_) fail("A list has no end.");
}

bool ImapLexer::lex_item(std::string_view& rest) {
  if (rest.starts_with('"')) return lex_quoted(rest);
  if (rest.starts_with('{')) {
    literal_ = literal_mark_at_end(rest);
    if (!literal_ || literal_->start != 0) {
      literal_.reset();
      return fail("A literal is announced as {size} or {size+} at the end of its line.");
    }
    rest = {};
    return add(ImapArgument::Kind::String, {});
  }
  const std::size_t size = astring_prefix(rest);
  if (size == 0) return fail("An argument is missing, or has characters that must be quoted.");
  const std::string_view atom = rest.substr(0, size);
  rest.remove_prefix(size);
  return add(ImapArgument::Kind::Atom, atom);
}

bool ImapLexer::lex_quoted(std::string_view& rest) {
  constexpr std::string_view kSpecial("\"\\\0\r\n", 5);
  if (!add(ImapArgument::Kind::String, {})) return false;
  rest.remove_prefix(1);
  for (;;) {
    const std::size_t plain = rest.find_first_of(kSpecial);
    if (plain == std::string_view::npos) return fail("A quoted string has no end.");
    last().text.append(rest.substr(0, plain));
    const char special = rest[plain];
    rest.remove_prefix(plain + 1);
    if (special == '"') return true;
    if (special != '\\') return fail("A quoted string can't hold NUL, CR or LF.");
    if (!rest.starts_with('"') && !rest.starts_with('\\')) {
      return fail("Only a quote or a backslash may follow a backslash.");
    }
    last().text.append(rest.substr(0, 1));
    rest.remove_prefix(1);
  }
}

void ImapLexer::take_literal(std::string_view bytes) {
  used_ += bytes.size();
  literal_.reset();
  if (!problem_.empty()) return;
  if (bytes.find('\0') != std::string_view::npos) {
    fail("A literal can't hold NUL.");
  } else {
    last().text.append(bytes);
  }
}

// Before a byte of the literal is asked for or waited for: may it come?
std::optional<ImapLexer::Result> ImapLexer::check_literal() {
  const bool too_long = literal_->size > literal_limit_;
  const bool fits = !too_long && literal_->size <= line_limit_ - used_;
  if (!literal_->synchronising) {
    if (fits) return std::nullopt;
    return TooLong{command_.tag, too_long ? Fault::LiteralTooLong : Fault::LineTooLong};
  }
  if (!problem_.empty()) return malformed({});
  if (fits) return Continue{};
  fail("The literal is too long.");
  return malformed("TOOBIG");
}

ImapLexer::Result ImapLexer::finish() {
  if (!problem_.empty()) return malformed({});
  ImapCommand command = std::move(command_);
  abandon();
  return command;
}

ImapLexer::Malformed ImapLexer::malformed(std::string_view code) {
  Malformed result{std::move(command_.tag), code, problem_};
  abandon();
  return result;
}

bool ImapLexer::add(ImapArgument::Kind kind, std::string_view text) {
  if (++items_ > kItemsMax) return fail("Too many arguments.");
  auto& items = in_list_ ? command_.arguments.back().items : command_.arguments;
  items.push_back({.kind = kind, .text = Secret(text), .items = {}});
  return true;
}

ImapArgument& ImapLexer::last() {
  ImapArgument& argument = command_.arguments.back();
  return in_list_ ? argument.items.back() : argument;
}

bool ImapLexer::fail(std::string_view problem) {
  problem_ = problem;
  command_.arguments.clear();
  return false;
}

}  // namespace postern
