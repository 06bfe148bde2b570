#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "tests/transcripts/script.h"

namespace postern::transcript {

struct Field {
  std::string_view name;
  std::string_view otherwise = "";
};

// What may stand behind a "!". The first `required` fields are written without their names, and so may be the
// next ones up to `plain`; the others need name=word.
struct Verb {
  std::string_view name;
  Side side;
  Step::Kind kind;
  std::size_t required;
  std::size_t plain;
  std::vector<Field> fields;
};

const Verb* find_verb(Side side, std::string_view name);
const Verb& setup_verb(Side side);

// The words behind a verb, unescaped; the error is a sentence.
std::expected<Fields, std::string> read_fields(const Verb& verb, std::string_view text);

// Undoes the escapes of a line or word; `ends_with_crlf` is set to false by \c where it is given.
std::expected<std::string, std::string> unescape(std::string_view text, bool* ends_with_crlf = nullptr);

}  // namespace postern::transcript
