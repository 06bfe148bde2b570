#include "proxy/route/map_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace postern::route {

namespace {

constexpr std::string_view kBlanks = " \t";

std::uint64_t digest_of(std::string_view user) { return std::hash<std::string_view>{}(user); }

// Takes the next word and the blanks before it off `rest`.
std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(word.size());
  return word;
}

}  // namespace

class MapFileParser {
 public:
  explicit MapFileParser(std::string text) : file_(new MapFile(std::move(text))) {}

  MapFile::Result parse() {
    const std::string_view text = file_->text_;
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
      return std::unexpected(std::vector<MapFileError>{{0, "the file has more than 4 GiB"}});
    }
    if (text.starts_with("\xEF\xBB\xBF")) wrong("the file starts with a byte order mark", 1);
    file_->rows_.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
    for (std::size_t at = 0; at < text.size() && !full();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      ++line_;
      parse_line(text.substr(at, end - at));
      at = end + 1;
    }
    std::ranges::sort(file_->rows_, {}, [](const auto& row) { return std::pair(row.digest, row.start); });
    refuse_duplicates();
    if (!errors_.empty()) {
      std::ranges::sort(errors_, {},
                        [](const MapFileError& error) { return std::tie(error.line, error.text); });
      return std::unexpected(std::move(errors_));
    }
    file_->rows_.shrink_to_fit();
    return std::move(file_);
  }

 private:
  void wrong(std::string text, std::size_t line) { errors_.push_back({line, std::move(text)}); }
  void wrong(std::string text) { wrong(std::move(text), line_); }
  bool full() const { return errors_.size() >= MapFile::kMaxErrors; }

  void parse_line(std::string_view line) {
    std::string_view rest = line;
    const std::string_view user = take_word(rest);
    if (user.empty() || user.starts_with('#')) return;
    for (const char octet : line) {
      if (octet == '\r') return wrong("a carriage return: lines end with a line feed alone");
      if ((static_cast<unsigned char>(octet) < 0x20 && octet != '\t') || octet == 0x7f) {
        return wrong("a control character");
      }
    }
    const std::string_view place = take_word(rest);
    if (place.empty()) return wrong("no pool behind the user");
    if (!take_word(rest).empty()) return wrong("more than a user and its pool or pool/backend");
    auto known = places_.find(place);
    if (known == places_.end()) {
      auto parsed = Place::parse(place);
      if (!parsed) return wrong("neither pool nor pool/backend, in letters, digits and _ . -");
      known = places_.emplace(place, static_cast<std::uint32_t>(file_->places_.size())).first;
      file_->places_.push_back(std::move(*parsed));
    }
    const auto start = static_cast<std::uint32_t>(user.data() - file_->text_.data());
    file_->rows_.push_back({digest_of(user), start, known->second});
  }

  // Rows of one digest lie side by side, in the file's order.
  void refuse_duplicates() {
    const auto& rows = file_->rows_;
    std::size_t group = 0;
    for (std::size_t later = 1; later < rows.size() && !full(); ++later) {
      if (rows[later].digest != rows[group].digest) group = later;
      for (std::size_t earlier = group; earlier < later; ++earlier) {
        if (file_->user_of(rows[earlier]) != file_->user_of(rows[later])) continue;
        wrong("the user is on line " + std::to_string(line_of(rows[earlier])) + " already",
              line_of(rows[later]));
        break;
      }
    }
  }

  std::size_t line_of(const MapFile::Row& row) const {
    const std::string_view before = std::string_view(file_->text_).substr(0, row.start);
    return 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  }

  std::shared_ptr<MapFile> file_;
  std::unordered_map<std::string_view, std::uint32_t> places_;  // as they are written
  std::vector<MapFileError> errors_;
  std::size_t line_ = 0;
};

MapFile::Result MapFile::load(const std::string& path) {
  const auto failed = [] {
    return std::unexpected(
        std::vector<MapFileError>{{0, "cannot be read: " + std::string(std::strerror(errno))}});
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return failed();
  std::string text;
  std::size_t size = 0;
  do {
    constexpr std::size_t kChunk = 1 << 20;
    if (text.size() - size < kChunk) text.resize(2 * text.size() + kChunk);
    const std::size_t read = std::fread(text.data() + size, 1, text.size() - size, file.get());
    if (std::ferror(file.get())) return failed();
    size += read;
  } while (!std::feof(file.get()));
  text.resize(size);
  text.shrink_to_fit();
  return parse(std::move(text));
}

MapFile::Result MapFile::parse(std::string text) { return MapFileParser(std::move(text)).parse(); }

const Place* MapFile::find(std::string_view user) const {
  const std::uint64_t digest = digest_of(user);
  for (auto row = std::ranges::lower_bound(rows_, digest, {}, &Row::digest);
       row != rows_.end() && row->digest == digest; ++row) {
    if (user_of(*row) == user) return &places_[row->place];
  }
  return nullptr;
}

std::string_view MapFile::user_of(const Row& row) const {
  const std::string_view line = std::string_view(text_).substr(row.start);
  return line.substr(0, line.find_first_of(kBlanks));
}

std::optional<MapAnswer> FileMap::find(std::string_view user, net::AnswerTicket ticket) {
  const Place* place = file_->find(user);
  MapAnswer answer;
  answer.ticket = ticket;
  if (place) answer.place = *place;
  return answer;
}

}  // namespace postern::route
