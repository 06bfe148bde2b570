#include "conf/diagnostic.h"

namespace postern::conf {
namespace {

bool is_control(char octet) { return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f; }
bool starts_character(char octet) { return (static_cast<unsigned char>(octet) & 0xc0) != 0x80; }

// The line as a terminal may show it. A tab stays: the caret's line repeats it.
std::string printable(const std::string& line) {
  std::string shown = line;
  for (char& octet : shown) {
    if (is_control(octet) && octet != '\t') octet = '?';
  }
  return shown;
}

std::string indent_to(unsigned column, const std::string& line) {
  std::string indent;
  unsigned at = 0;
  for (const char octet : line) {
    if (starts_character(octet) && ++at >= column) break;
    if (starts_character(octet)) indent += octet == '\t' ? '\t' : ' ';
  }
  while (++at < column) indent += ' ';
  return indent;
}

}  // namespace

std::string Diagnostic::to_string() const {
  if (line == 0) return file + ": " + message + "\n";
  std::string text = file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message + "\n";
  text += "    " + printable(source) + "\n";
  text += "    " + indent_to(column, source) + "^\n";
  return text;
}

std::string to_string(const std::vector<Diagnostic>& problems) {
  std::string text;
  for (const Diagnostic& problem : problems) text += problem.to_string();
  return text;
}

}  // namespace postern::conf
