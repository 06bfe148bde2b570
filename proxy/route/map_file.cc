#include "proxy/route/map_file.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "proxy/files/text_file.h"
#include "proxy/files/user_lines.h"

namespace postern::route {

namespace {

constexpr std::string_view kBlanks = " \t";

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
  MapFileParser(std::string text, const files::FileState& state, const std::stop_token& stop)
      : file_(new MapFile(std::move(text))), lines_(file_->text_, stop) {
    file_->state_ = state;
  }

  MapFile::Result parse() {
    file_->rows_.reserve(lines_.count());
    for (std::string_view line; lines_.next(line);) parse_line(line);
    lines_.sort(file_->rows_, [this](const auto& row) { return file_->user_of(row); });
    if (auto problems = std::move(lines_).problems(); !problems.empty()) {
      return std::unexpected(std::move(problems));
    }
    file_->rows_.shrink_to_fit();
    return std::move(file_);
  }

 private:
  void wrong(std::string text) { lines_.wrong(std::move(text)); }

  void parse_line(std::string_view line) {
    std::string_view rest = line;
    const std::string_view user = take_word(rest);
    if (user.empty() || user.starts_with('#') || !lines_.clean(line, true)) return;
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
    file_->rows_.push_back({files::digest_of(user), start, known->second});
  }

  std::shared_ptr<MapFile> file_;
  std::unordered_map<std::string_view, std::uint32_t> places_;  // as they are written
  files::UserLines lines_;
};

MapFile::Result MapFile::load(const std::string& path, const std::stop_token& stop) {
  auto file = files::read_text(path, stop);
  if (!file) return std::unexpected(std::move(file).error());
  return MapFileParser(std::move(file->text), file->state, stop).parse();
}

MapFile::Result MapFile::parse(std::string text) { return MapFileParser(std::move(text), {}, {}).parse(); }

const Place* MapFile::find(std::string_view user) const {
  const Row* row = files::find_user(rows_, user, [this](const Row& one) { return user_of(one); });
  return row == nullptr ? nullptr : &places_[row->place];
}

std::size_t MapFile::line_of(std::size_t place) const {
  std::size_t first = text_.size();
  for (const Row& row : rows_) {
    if (row.place == place) first = std::min<std::size_t>(first, row.start);
  }
  return 1 + static_cast<std::size_t>(std::ranges::count(std::string_view(text_).substr(0, first), '\n'));
}

std::string_view MapFile::user_of(const Row& row) const {
  const std::string_view line = std::string_view(text_).substr(row.start);
  return line.substr(0, line.find_first_of(kBlanks));
}

std::shared_ptr<const MapFile> CurrentMapFile::get() const {
  const std::lock_guard lock(mutex_);
  return file_;
}

void CurrentMapFile::replace(std::shared_ptr<const MapFile> file) {
  const std::lock_guard lock(mutex_);
  file_.swap(file);
}

std::optional<MapAnswer> FileMap::find(std::string_view user, net::AnswerTicket ticket) {
  const std::shared_ptr<const MapFile> file = file_->get();
  const Place* place = file->find(user);
  MapAnswer answer;
  answer.ticket = ticket;
  if (place) answer.place = *place;
  return answer;
}

}  // namespace postern::route
