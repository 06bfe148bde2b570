#include "tests/transcripts/script.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/transcripts/verbs.h"

namespace postern::transcript {

namespace {

using enum Step::Kind;

class Reader {
 public:
  explicit Reader(const Dialogue& folder) : folder_(folder) {}

  void line(std::string_view text) {
    ++line_;
    if (text.starts_with("```")) {
      fence();
    } else if (in_block_) {
      block_line(text);
    } else if (text.starts_with("## ")) {
      heading(text.substr(3));
    }
  }

  Scripts finish() {
    if (in_block_) problem("the code block is not closed");
    finish_heading();
    return std::move(scripts_);
  }

 private:
  void problem(const std::string& text) { scripts_.problems.push_back({folder_.file, line_, text}); }

  void heading(std::string_view name) {
    finish_heading();
    dialogue_ = folder_;
    dialogue_.name = name;
    dialogue_.line = line_;
    dialogue_.setup = *read_fields(setup_verb(folder_.side), "");
    under_heading_ = true;
  }

  void finish_heading() {
    if (under_heading_ && !block_seen_) problem("no dialogue under this heading");
    if (under_heading_ && block_seen_) scripts_.dialogues.push_back(std::move(dialogue_));
    under_heading_ = block_seen_ = false;
  }

  void fence() {
    if (!in_block_ && under_heading_ && block_seen_) problem("a second dialogue under one heading");
    in_block_ = !in_block_;
    if (in_block_ && !under_heading_) problem("a dialogue without a heading");
    if (in_block_) block_seen_ = true;
  }

  void block_line(std::string_view text) {
    if (text.empty() || text.starts_with('#')) return;
    if (text.starts_with("! ")) return directive(text.substr(2));
    if (text.starts_with("= ") || text == "=") return bytes_line(Rest, text.substr(1));
    const bool client = text.starts_with("C:");
    if (!client && !text.starts_with("S:")) return problem("a line must start with C:, S:, !, = or #");
    const bool input = client == (folder_.side == Side::Front);
    bytes_line(input ? Input : Output, text.substr(2));
  }

  void bytes_line(Step::Kind kind, std::string_view text) {
    if (text.starts_with(' ')) text.remove_prefix(1);
    bool crlf = true;
    auto bytes = unescape(text, &crlf);
    if (!bytes) return problem(bytes.error());
    if (crlf) *bytes += "\r\n";
    if (kind == Output && !dialogue_.steps.empty() && dialogue_.steps.back().verb == "farewell" &&
        !dialogue_.steps.back().fields.contains("bytes")) {
      dialogue_.steps.back().fields["bytes"] = *bytes;
      return;
    }
    dialogue_.steps.push_back({kind, line_, *bytes, "", {}});
  }

  void directive(std::string_view text) {
    const std::size_t space = text.find(' ');
    const std::string_view name = text.substr(0, space);
    const std::string_view rest = space == std::string_view::npos ? "" : text.substr(space);
    const bool setup = name == "setup";
    if (setup && !dialogue_.steps.empty()) return problem("setup must be the first line");
    const Verb* verb = setup ? &setup_verb(folder_.side) : find_verb(folder_.side, name);
    if (verb == nullptr) return problem("unknown verb " + std::string(name));
    auto fields = read_fields(*verb, rest);
    if (!fields) return problem(fields.error());
    if (setup) {
      dialogue_.setup = std::move(*fields);
    } else {
      dialogue_.steps.push_back({verb->kind, line_, "", std::string(name), std::move(*fields)});
    }
  }

  const Dialogue& folder_;
  Scripts scripts_;
  Dialogue dialogue_;
  int line_ = 0;
  bool under_heading_ = false;
  bool block_seen_ = false;
  bool in_block_ = false;
};

Scripts read_folder(const std::string& path, const Dialogue& folder) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::exists(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".md") files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  Scripts all;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    Dialogue of_file = folder;
    of_file.file = file.string();
    Scripts scripts = read_script(of_file, text);
    std::ranges::move(scripts.dialogues, std::back_inserter(all.dialogues));
    std::ranges::move(scripts.problems, std::back_inserter(all.problems));
  }
  return all;
}

}  // namespace

Scripts read_scripts(const std::string& root) {
  Scripts all;
  for (const Protocol protocol : {Protocol::Imap, Protocol::Pop3}) {
    for (const Side side : {Side::Front, Side::Back}) {
      Dialogue folder;
      folder.protocol = protocol;
      folder.side = side;
      std::string path = root;
      path.append("/").append(name_of(protocol)).append(side == Side::Front ? "_front" : "_back");
      Scripts scripts = read_folder(path, folder);
      std::ranges::move(scripts.dialogues, std::back_inserter(all.dialogues));
      std::ranges::move(scripts.problems, std::back_inserter(all.problems));
    }
  }
  return all;
}

Scripts read_script(const Dialogue& folder, std::string_view text) {
  Reader reader(folder);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

std::string shown(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes.substr(0, 400)) {
    const auto octet = static_cast<unsigned char>(byte);
    if (byte == '\r')
      text += "\\r";
    else if (byte == '\n')
      text += "\\n";
    else if (byte == '\\')
      text += "\\\\";
    else if (octet >= ' ' && octet < 0x7f)
      text += byte;
    else
      text.append("\\x").append(1, digits[octet >> 4]).append(1, digits[octet & 15]);
  }
  if (bytes.size() > 400) text += "... (" + std::to_string(bytes.size()) + " bytes)";
  return text;
}

std::string shown(std::string_view verb, const Fields& fields) {
  std::string text = "! " + std::string(verb);
  for (const auto& [name, value] : fields) text += " " + name + "=\"" + shown(value) + "\"";
  return text;
}

}  // namespace postern::transcript
