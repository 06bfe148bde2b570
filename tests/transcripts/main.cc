#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <iostream>
#include <string>

#include "tests/transcripts/play.h"
#include "tests/transcripts/script.h"

namespace {

using namespace postern::transcript;

std::string filter;  // of files and names; set once by main
std::size_t dialogues = 0;
std::size_t cases = 0;

void play_folder(const std::string& name) {
  const Scripts scripts = read_scripts(POSTERN_TRANSCRIPTS);
  for (const Problem& problem : scripts.problems) {
    if (problem.file.contains("/" + name + "/")) {
      ADD_FAIL_CHECK_AT(problem.file.c_str(), problem.line, problem.text);
    }
  }
  std::size_t here = 0;
  for (const Dialogue& dialogue : scripts.dialogues) {
    if (!dialogue.file.contains("/" + name + "/")) continue;
    ++here;
    if (!(dialogue.file + "#" + dialogue.name).contains(filter)) continue;
    const Outcome outcome = play_all(dialogue);
    ++dialogues;
    cases += outcome.cases;
    if (outcome.failure) {
      const auto& [line, mode, text] = *outcome.failure;
      ADD_FAIL_CHECK_AT(dialogue.file.c_str(), line,
                        "dialogue \"" << dialogue.name << "\", played " << mode << "\n"
                                      << text);
    }
  }
  CHECK_MESSAGE(here > 0, "no dialogue in ", name);
}

}  // namespace

TEST_CASE("IMAP in front") { play_folder("imap_front"); }
TEST_CASE("IMAP at the back") { play_folder("imap_back"); }
TEST_CASE("POP3 in front") { play_folder("pop3_front"); }
TEST_CASE("POP3 at the back") { play_folder("pop3_back"); }

int main(int count, char** arguments) {
  if (count > 1 && arguments[1][0] != '-') filter = arguments[1];
  doctest::Context context(count, arguments);
  const int status = context.run();
  if (!context.shouldExit()) std::cout << dialogues << " dialogues, " << cases << " cases played\n";
  return status;
}
