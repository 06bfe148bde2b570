#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/protocol.h"

// Reads transcripts; README.md in this folder describes their form.

namespace postern::transcript {

enum class Side : std::uint8_t { Front, Back };

// A verb's words by name, each field of the verb included: what was not written has its default.
using Fields = std::map<std::string, std::string>;

struct Step {
  enum class Kind : std::uint8_t { Input, Output, Event, Answer, Question, Rest };
  Kind kind;
  int line;
  std::string bytes;  // Input, Output, Rest
  std::string verb;   // Event, Answer, Question
  Fields fields;
};

struct Dialogue {
  std::string file;  // path as given, for failures
  int line = 0;      // of the heading
  std::string name;
  Protocol protocol = Protocol::Imap;
  Side side = Side::Front;
  Fields setup;
  std::vector<Step> steps;
};

struct Problem {
  std::string file;
  int line;
  std::string text;
};

struct Scripts {
  std::vector<Dialogue> dialogues;
  std::vector<Problem> problems;
};

// Every *.md file in the four folders below `root`, in the order of their names.
Scripts read_scripts(const std::string& root);

// One file's text. `dialogue` carries what its folder tells: file, protocol and side.
Scripts read_script(const Dialogue& folder, std::string_view text);

// Bytes as a transcript would show them, on one line.
std::string shown(std::string_view bytes);
std::string shown(std::string_view verb, const Fields& fields);

}  // namespace postern::transcript
