#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/transcripts/script.h"

namespace postern::transcript {

struct Happening {
  enum class Kind : std::uint8_t { Nothing, Bytes, Event };
  Kind kind = Kind::Nothing;
  std::string bytes;
  std::string verb;
  Fields fields;
};

// A front or a back dialogue, spoken to in a transcript's words.
class Machine {
 public:
  virtual ~Machine() = default;

  virtual void receive(std::string_view bytes) = 0;
  virtual Happening next() = 0;
  virtual void answer(const Step& step) = 0;
  virtual Fields ask(
      const Step& step) = 0;  // the fields as they are; of the question where they are the question
  virtual std::string take_rest() = 0;
};

std::unique_ptr<Machine> make_machine(const Dialogue& dialogue);

}  // namespace postern::transcript
