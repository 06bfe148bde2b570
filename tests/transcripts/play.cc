#include "tests/transcripts/play.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <vector>

namespace postern::transcript {

namespace {

using enum Step::Kind;
using Run = std::vector<std::string>;  // the pieces of one run of input

// What one play adds to the script.
struct Mode {
  std::string name;
  std::vector<Step> steps;
  std::vector<Run> runs;      // in the order of the steps' runs
  std::string behind_rest;    // must come out of the splice behind what the script says
  std::string after_the_end;  // received when everything has happened; nothing may follow
};

struct Unexpected : std::runtime_error {
  Unexpected(int at, const std::string& text) : std::runtime_error(text), line(at) {}
  int line;
};

std::string described(const Step& step) {
  switch (step.kind) {
    case Input:
      return "input " + shown(step.bytes);
    case Output:
      return "output " + shown(step.bytes);
    case Rest:
      return "the rest " + shown(step.bytes);
    case Event:
    case Answer:
    case Question:
      return shown(step.verb, step.fields);
  }
  return "";
}

class Play {
 public:
  Play(const Dialogue& dialogue, const Mode& mode, const MakeMachine& make)
      : mode_(mode), last_line_(dialogue.line), machine_(make(dialogue)) {}

  void run() {
    drain();
    std::size_t run = 0;
    while (!at_end()) {
      const Step& step = mode_.steps[at_];
      last_line_ = step.line;
      if (step.kind == Output || step.kind == Event) {
        throw Unexpected(step.line,
                         "expected " + remainder(step) + "\ngot      nothing: it waits for more input");
      }
      if (step.kind == Rest) break;
      if (step.kind == Input) {
        while (!at_end() && mode_.steps[at_].kind == Input) ++at_;
        for (const std::string& piece : mode_.runs.at(run)) {
          machine_->receive(piece);
          drain();
        }
        ++run;
        continue;
      }
      ++at_;
      if (step.kind == Question) {
        ask(step);
      } else {
        machine_->answer(step);
        spliced_ = step.verb == "accept";
      }
      drain();
    }
    finish();
  }

 private:
  bool at_end() const { return at_ == mode_.steps.size(); }

  void drain() {
    for (int happenings = 0; happenings < 100'000; ++happenings) {
      const Happening happening = machine_->next();
      if (happening.kind == Happening::Kind::Nothing) return;
      if (happening.kind == Happening::Kind::Bytes) {
        match(happening.bytes);
      } else {
        match(happening);
      }
    }
    throw Unexpected(last_line_, "it never needs data");
  }

  void match(std::string_view bytes) {
    if (bytes.empty()) throw Unexpected(last_line_, "it sends nothing, as an event");
    while (!bytes.empty()) {
      if (at_end() || mode_.steps[at_].kind != Output) fail("output " + shown(bytes));
      const Step& step = mode_.steps[at_];
      const std::string_view wanted = std::string_view(step.bytes).substr(sent_);
      const std::size_t size = std::min(wanted.size(), bytes.size());
      if (wanted.substr(0, size) != bytes.substr(0, size)) fail("output " + shown(bytes));
      last_line_ = step.line;
      bytes.remove_prefix(size);
      sent_ += size;
      if (sent_ == step.bytes.size()) {
        ++at_;
        sent_ = 0;
      }
    }
  }

  void match(const Happening& happening) {
    const std::string got = shown(happening.verb, happening.fields);
    if (at_end() || mode_.steps[at_].kind != Event) fail(got);
    const Step& step = mode_.steps[at_];
    if (step.verb != happening.verb || step.fields != happening.fields) fail(got);
    last_line_ = step.line;
    spliced_ = step.verb == "logged_in";
    ++at_;
  }

  [[noreturn]] void fail(const std::string& got) {
    if (at_end()) throw Unexpected(last_line_, "expected nothing more\ngot      " + got);
    const Step& step = mode_.steps[at_];
    throw Unexpected(step.line, "expected " + remainder(step) + "\ngot      " + got);
  }

  std::string remainder(const Step& step) const {
    if (step.kind != Output || sent_ == 0) return described(step);
    return "output " + shown(std::string_view(step.bytes).substr(sent_)) + " (the end of the line)";
  }

  void ask(const Step& step) {
    const Fields got = machine_->ask(step);
    if (got == step.fields) return;
    throw Unexpected(step.line, "expected " + described(step) + "\ngot      " + shown(step.verb, got));
  }

  void finish() {
    std::string rest;
    for (; !at_end(); ++at_) {
      if (mode_.steps[at_].kind != Rest)
        throw Unexpected(mode_.steps[at_].line, "a step stands behind the rest");
      last_line_ = mode_.steps[at_].line;
      rest += mode_.steps[at_].bytes;
    }
    if (!spliced_ && !rest.empty()) throw Unexpected(last_line_, "a rest without a login");
    if (spliced_) {
      rest += mode_.behind_rest;
      const std::string got = machine_->take_rest();
      if (got != rest) {
        throw Unexpected(last_line_,
                         "expected the rest " + shown(rest) + "\ngot      the rest " + shown(got));
      }
    }
    if (!mode_.after_the_end.empty()) {
      machine_->receive(mode_.after_the_end);
      drain();
    }
  }

  const Mode& mode_;
  std::size_t at_ = 0;    // the step that comes next
  std::size_t sent_ = 0;  // of its bytes, when it is output
  int last_line_;
  bool spliced_ = false;
  std::unique_ptr<Machine> machine_;
};

// ---------------------------------------------------------------------------------------------- the modes

std::vector<std::string> runs_of(const std::vector<Step>& steps) {
  std::vector<std::string> runs;
  bool in_run = false;
  for (const Step& step : steps) {
    if (step.kind == Input && !in_run) runs.emplace_back();
    in_run = step.kind == Input;
    if (in_run) runs.back() += step.bytes;
  }
  return runs;
}

// The index of the last run before the step at `position`.
std::optional<std::size_t> run_before(const std::vector<Step>& steps, std::size_t position) {
  std::size_t runs = 0;
  for (std::size_t i = 0; i < position; ++i) {
    if (steps[i].kind == Input && (i == 0 || steps[i - 1].kind != Input)) ++runs;
  }
  return runs == 0 ? std::nullopt : std::optional(runs - 1);
}

Run single_bytes(const std::string& run) {
  Run pieces;
  for (const char byte : run) pieces.emplace_back(1, byte);
  return pieces;
}

bool worth_a_cut(std::size_t at, std::size_t size) {
  constexpr std::size_t all = 2000;
  constexpr std::size_t ends = 300;
  return size <= all || at < ends || at + ends > size || at % 97 == 0;
}

// Moves every input up to the first one, as far as the next `secured`, and drops the questions.
std::vector<Step> without_waiting(const std::vector<Step>& steps) {
  const auto is_input = [](const Step& step) { return step.kind == Input; };
  std::vector<Step> moved;
  auto from = steps.begin();
  while (from != steps.end()) {
    auto to = std::find_if(from, steps.end(), [](const Step& step) { return step.verb == "secured"; });
    if (to != steps.end()) ++to;
    const auto first = std::find_if(from, to, is_input);
    moved.insert(moved.end(), from, first);
    std::copy_if(first, to, std::back_inserter(moved), is_input);
    std::copy_if(first, to, std::back_inserter(moved), std::not_fn(is_input));
    from = to;
  }
  std::erase_if(moved, [](const Step& step) { return step.kind == Question; });
  return moved;
}

class Modes {
 public:
  Modes(const Dialogue& dialogue, const MakeMachine& make) : dialogue_(dialogue), make_(make) {
    whole_.name = "whole";
    whole_.steps = dialogue.steps;
    for (const std::string& run : runs_of(dialogue.steps)) whole_.runs.push_back({run});
  }

  Outcome play() {
    const bool fine = play(whole_) && play_cut() && play_byte_by_byte(whole_) && play_without_waiting() &&
                      play_splice() && play_starttls() && play_after_end();
    (void)fine;
    return std::move(outcome_);
  }

 private:
  bool play(const Mode& mode) {
    ++outcome_.cases;
    try {
      Play(dialogue_, mode, make_).run();
    } catch (const Unexpected& unexpected) {
      outcome_.failure = Failure{unexpected.line, mode.name, unexpected.what()};
    } catch (const std::exception& error) {  // a value in the transcript that can't be read
      outcome_.failure = Failure{dialogue_.line, mode.name, error.what()};
    }
    return !outcome_.failure;
  }

  bool play_cut() {
    for (std::size_t run = 0; run < whole_.runs.size(); ++run) {
      const std::string bytes = whole_.runs[run].front();
      for (std::size_t at = 1; at < bytes.size(); ++at) {
        if (!worth_a_cut(at, bytes.size())) continue;
        Mode mode = whole_;
        mode.name = "run " + std::to_string(run + 1) + " cut behind byte " + std::to_string(at);
        mode.runs[run] = {bytes.substr(0, at), bytes.substr(at)};
        if (!play(mode)) return false;
      }
    }
    return true;
  }

  bool play_byte_by_byte(const Mode& whole) {
    Mode mode = whole;
    mode.name = whole.name == "whole" ? "byte by byte" : whole.name + ", byte by byte";
    for (Run& run : mode.runs) run = single_bytes(run.front());
    return play(mode);
  }

  bool play_without_waiting() {
    if (dialogue_.side == Side::Back) return true;
    Mode mode;
    mode.name = "all input at once";
    mode.steps = without_waiting(dialogue_.steps);
    for (const std::string& run : runs_of(mode.steps)) mode.runs.push_back({run});
    return play(mode) && play_byte_by_byte(mode);
  }

  bool play_more(Mode mode, std::size_t run, const std::string& more) {
    const std::string bytes = mode.runs[run].front();
    mode.runs[run] = {bytes + more};
    if (!play(mode) || !play_byte_by_byte(mode)) return false;
    mode.name += ", as a piece of their own";
    mode.runs[run] = {bytes, more};
    return play(mode);
  }

  bool play_splice() {
    const auto end = std::ranges::find_if(
        dialogue_.steps, [](const Step& step) { return step.verb == "accept" || step.verb == "logged_in"; });
    if (end == dialogue_.steps.end() || whole_.runs.empty()) return true;
    Mode mode = whole_;
    mode.name = "with more bytes behind the login";
    mode.behind_rest = std::string("z {3}\r\n\0\xff. OK\n\r\n", 16);
    return play_more(mode, whole_.runs.size() - 1, mode.behind_rest);
  }

  bool play_starttls() {
    if (dialogue_.side == Side::Back) return true;
    for (std::size_t i = 0; i < dialogue_.steps.size(); ++i) {
      const Step& step = dialogue_.steps[i];
      const auto run = run_before(dialogue_.steps, i);
      if (step.kind != Event || step.verb != "starttls" || !run) continue;
      Mode mode = whole_;
      mode.name = "with clear text behind the command of line " + std::to_string(step.line);
      if (!play_more(mode, *run, "z NOOP\r\nUSER mallory\r\n* ")) return false;
    }
    return true;
  }

  bool play_after_end() {
    const auto last = std::ranges::find_if(
        dialogue_.steps, [](const Step& step) { return step.verb == "close" || step.verb == "refused"; });
    if (last == dialogue_.steps.end()) return true;
    Mode mode = whole_;
    mode.name = "with input after the end";
    mode.after_the_end = "z NOOP\r\nUSER mallory\r\n+OK\r\n* BYE\r\n";
    if (!play(mode)) return false;
    if (whole_.runs.empty() || dialogue_.side == Side::Back) return true;
    mode.name = "with input behind the end";
    mode.after_the_end.clear();
    return play_more(mode, whole_.runs.size() - 1, "z NOOP\r\nUSER mallory\r\n");
  }

  const Dialogue& dialogue_;
  const MakeMachine& make_;
  Mode whole_;
  Outcome outcome_;
};

}  // namespace

Outcome play_all(const Dialogue& dialogue, const MakeMachine& make) { return Modes(dialogue, make).play(); }

}  // namespace postern::transcript
