#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/transcripts/machine.h"
#include "tests/transcripts/script.h"

namespace postern::transcript {

struct Failure {
  int line;          // of the step that did not come true
  std::string mode;  // how the dialogue was played
  std::string text;  // expected and got
};

struct Outcome {
  std::size_t cases = 0;
  std::optional<Failure> failure;  // the first; the dialogue was played no further
};

using MakeMachine = std::function<std::unique_ptr<Machine>(const Dialogue&)>;

// Plays the dialogue in every way that README.md names, each time with a new machine.
Outcome play_all(const Dialogue& dialogue, const MakeMachine& make = make_machine);

}  // namespace postern::transcript
