#include <deque>
#include <doctest/doctest.h>
#include <functional>
#include <string>

#include "tests/transcripts/play.h"
#include "tests/transcripts/script.h"
#include "tests/transcripts/verbs.h"

// The runner itself: it must see what is wrong with a dialogue, in whichever way of playing it shows.

namespace {

using namespace postern::transcript;

// A small server: "echo x" is answered with x, "login" waits for an answer, "tls" for a handshake, "quit"
// ends.
class Toy : public Machine {
 public:
  enum class Fault { None, ReadsChunksAsLines, KeepsClearText, SpeaksAfterQuit, LosesTheRest, AnswersTwice };

  explicit Toy(Fault fault) : fault_(fault) { say("hello"); }

  void receive(std::string_view bytes) override {
    if (ended_ && fault_ == Fault::SpeaksAfterQuit) say("still here");
    if (!ended_) input_ += bytes;
  }

  Happening next() override {
    while (happenings_.empty() && !waiting_ && !ended_ && read_line()) {
    }
    if (happenings_.empty()) return {};
    Happening first = happenings_.front();
    happenings_.pop_front();
    return first;
  }

  void answer(const Step& step) override {
    waiting_ = false;
    if (step.verb == "secured" && fault_ != Fault::KeepsClearText) input_.clear();
    if (step.verb == "reject") say("no");
    if (step.verb != "accept") return;
    ended_ = true;
    say(step.fields.at("text"));
  }

  Fields ask(const Step& step) override { return {{"fault", step.fields.at("fault")}, {"bytes", "bye\r\n"}}; }
  std::string take_rest() override { return fault_ == Fault::LosesTheRest ? "" : input_; }

 private:
  void say(const std::string& text) {
    happenings_.push_back({Happening::Kind::Bytes, text + "\r\n", {}, {}});
    if (fault_ == Fault::AnswersTwice && text != "hello") say_once(text);
  }
  void say_once(const std::string& text) {
    happenings_.push_back({Happening::Kind::Bytes, text + "\r\n", {}, {}});
  }
  void tell(const std::string& verb, Fields fields = {}) {
    happenings_.push_back({Happening::Kind::Event, {}, verb, std::move(fields)});
  }

  bool read_line() {
    const std::size_t end = input_.find("\r\n");
    if (end == std::string::npos && (fault_ != Fault::ReadsChunksAsLines || input_.empty())) return false;
    const std::string line = input_.substr(0, end);
    input_.erase(0, end == std::string::npos ? end : end + 2);
    if (line.starts_with("echo ")) {
      say(line.substr(5));
    } else if (line == "quit") {
      ended_ = true;
      tell("close", {{"fault", "none"}});
    } else if (line == "tls") {
      waiting_ = true;
      tell("starttls");
    } else if (line == "login") {
      waiting_ = true;
      tell("login", {{"mechanism", "plain"},
                     {"user", "u"},
                     {"password", "p"},
                     {"authorization", ""},
                     {"sasl_name", ""},
                     {"message", "(none)"}});
    } else {
      say("what?");
    }
    return true;
  }

  Fault fault_;
  std::deque<Happening> happenings_;
  std::string input_;
  bool waiting_ = false;
  bool ended_ = false;
};

Dialogue dialogue(const std::string& block) {
  Dialogue folder;
  folder.file = "toy.md";
  Scripts scripts = read_script(folder, "# Title\n\n## name\n\nprose\n\n```\n" + block + "```\n");
  for (const Problem& problem : scripts.problems) FAIL(problem.text);
  REQUIRE(scripts.dialogues.size() == 1);
  return scripts.dialogues.front();
}

std::optional<Failure> played(const std::string& block, Toy::Fault fault = Toy::Fault::None) {
  return play_all(dialogue(block), [fault](const Dialogue&) { return std::make_unique<Toy>(fault); }).failure;
}

const std::string everything = R"(S: hello
C: echo a
S: a
! farewell login_timeout
S: bye
C: tls
! starttls
! secured
C: login
! login plain u p
! reject bad_credentials
S: no
C: login
C: echo \xff\0\c
! login plain u p
! accept "welcome in"
S: welcome in
= echo \xff\0\c
)";

const std::string ending = "S: hello\nC: quit\n! close\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a dialogue that is right passes, and each way of playing it counts") {
  const auto right = [](const Dialogue&) { return std::make_unique<Toy>(Toy::Fault::None); };
  const Outcome outcome = play_all(dialogue(everything), right);
  if (outcome.failure) FAIL(outcome.failure->mode, ": ", outcome.failure->text);
  // Four runs of 8, 5, 7 and 14 bytes; whole, bytes, 2 at once, 3 with a rest, 3 with clear text.
  CHECK(outcome.cases == (7 + 4 + 6 + 13) + 10);
  CHECK_FALSE(played(ending).has_value());
}

TEST_CASE("a dialogue that is wrong fails in the line that is wrong") {
  struct Row {
    const char* from;
    const char* to;
    int line;
  };
  // The block starts in line 8 of the file.
  for (const Row& row : {Row{"S: hello", "S: hallo", 8}, Row{"S: a\n", "S: ab\n", 10}, Row{"S: a\n", "", 11},
                         Row{"S: bye", "S: bye.", 11}, Row{"! starttls\n", "", 14},
                         Row{"plain u p\n! reject", "plain u q\n! reject", 17},
                         Row{"plain u p\n! reject", "login u p\n! reject", 17},
                         Row{"plain u p\n! reject", "plain u p x\n! reject", 17},
                         Row{"! reject bad_credentials\nS: no\n", "! reject bad_credentials\n", 19},
                         Row{"= echo \\xff\\0\\c\n", "", 24}, Row{"= echo", "= Echo", 25},
                         Row{"welcome in\n=", "welcome in\nS: more\n=", 25}}) {
    CAPTURE(row.from);
    CAPTURE(row.to);
    const auto failure = played(replaced(everything, row.from, row.to));
    REQUIRE(failure.has_value());
    CHECK(failure->line >= row.line - 1);
    CHECK(failure->line <= row.line + 1);
  }
}

TEST_CASE("a server that is wrong in one way of arriving is found out") {
  struct Row {
    Toy::Fault fault;
    const std::string& script;
    const char* mode;
  };
  for (const Row& row : {Row{Toy::Fault::AnswersTwice, everything, "whole"},
                         Row{Toy::Fault::ReadsChunksAsLines, everything, "run 1 cut behind byte 1"},
                         Row{Toy::Fault::KeepsClearText, everything, "with clear text"},
                         Row{Toy::Fault::LosesTheRest, everything, "whole"},
                         Row{Toy::Fault::SpeaksAfterQuit, ending, "with input after the end"}}) {
    const auto failure = played(row.script, row.fault);
    REQUIRE(failure.has_value());
    CHECK_MESSAGE(failure->mode.starts_with(row.mode), failure->mode);
  }
}

TEST_CASE("output that comes before its input is found out") {
  const auto failure = played("S: hello\nS: a\nC: echo a\n");
  REQUIRE(failure.has_value());
  CHECK(failure->text.contains("waits for more input"));
  CHECK(played("S: hello\nC: echo a\nC: echo b\nS: a\nS: b\n") == std::nullopt);
  CHECK(played("S: hello\nC: echo a\nS: a\nS: b\nC: echo b\n").has_value());
}

TEST_CASE("escapes and words") {
  const auto bytes = [](std::string_view text) { return unescape(text).value_or("?"); };
  CHECK(bytes("a\\r\\n\\t\\0\\\\\\x7F\\xff") == std::string("a\r\n\t\0\\\x7f\xff", 8));
  CHECK(bytes("\\{3:ab}c") == "abababc");
  CHECK(bytes("\\{2:\\0}") == std::string(2, '\0'));
  CHECK(bytes("\\{0:ab}") == "");
  for (const char* wrong : {"\\", "\\q", "\\x1", "\\xgg", "\\{3}", "\\{x:a}", "\\{3:a", "\\c", "\\\""}) {
    CAPTURE(wrong);
    CHECK_FALSE(unescape(wrong).has_value());
  }
  const Verb& login = *find_verb(Side::Front, "login");
  const auto fields = read_fields(login, R"( plain "a \"b\" \\" p=x  authorization="")");
  CHECK_FALSE(fields.has_value());  // p= looks like a name
  const auto quoted = read_fields(login, R"( plain "a \"b\" \\" "p=x"  authorization=z)");
  REQUIRE(quoted.has_value());
  CHECK(quoted->at("user") == "a \"b\" \\");
  CHECK(quoted->at("password") == "p=x");
  CHECK(quoted->at("authorization") == "z");
  for (const char* wrong : {"", "plain u p a b", "plain u \"p", "plain u \"p\"x", "plain u p nick=x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_fields(login, wrong).has_value());
  }
  CHECK_FALSE(read_fields(*find_verb(Side::Front, "close"), "no_such_fault").has_value());
  CHECK(find_verb(Side::Back, "login") == nullptr);
}

TEST_CASE("a file that is not a transcript is told with its line") {
  struct Row {
    const char* text;
    int line;
  };
  for (const Row& row : {Row{"## a\n```\nX: y\n```\n", 3}, Row{"## a\n```\nC: \\q\n```\n", 3},
                         Row{"## a\n```\n! dance\n```\n", 3}, Row{"## a\n\n## b\n```\n```\n", 3},
                         Row{"```\n```\n", 1}, Row{"## a\n```\n```\n```\n```\n", 4},
                         Row{"## a\n```\nC: x\n! setup secure=no\n```\n", 4}, Row{"## a\n```\nC: x\n", 3}}) {
    CAPTURE(row.text);
    const Scripts scripts = read_script(Dialogue{}, row.text);
    REQUIRE(scripts.problems.size() == 1);
    CHECK(scripts.problems.front().line == row.line);
  }
}
