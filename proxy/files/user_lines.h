#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/files/problem.h"

namespace postern::files {

// What the files of users have in common, the password file and those of maps: a user per line, once, no
// controls, and every problem with its line. Rows are structs with `digest`, digest_of() the user, and
// `start`, the user's place in the text; `user_of` gives a row's user.

std::uint64_t digest_of(std::string_view user);

class UserLines {
 public:
  // The text outlives it.
  UserLines(std::string_view text, std::stop_token stop) : text_(text), stop_(std::move(stop)) {}

  // How many there are at most; 0: none will come.
  std::size_t count() const {
    return too_long() ? 0 : 1 + static_cast<std::size_t>(std::ranges::count(text_, '\n'));
  }

  // The next line, without its end. False: that was all, or too much is wrong.
  bool next(std::string_view& line);

  // Of the line that came last.
  void wrong(std::string text) { wrong(std::move(text), line_); }
  // False: a control character, which is noted.
  bool clean(std::string_view line, bool tabs);

  // Sorts the rows for find(), and notes who is there twice.
  template <class Row, class UserOf>
  void sort(std::vector<Row>& rows, UserOf user_of);

  // Empty: the file is good.
  Problems problems() &&;

 private:
  void wrong(std::string text, std::size_t line) { problems_.push_back({line, std::move(text)}); }
  bool too_long() const { return text_.size() > std::numeric_limits<std::uint32_t>::max(); }
  bool full() const { return problems_.size() >= kMaxProblems; }
  std::size_t line_of(std::size_t start) const {
    return 1 + static_cast<std::size_t>(std::ranges::count(text_.substr(0, start), '\n'));
  }

  const std::string_view text_;
  const std::stop_token stop_;
  Problems problems_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
};

template <class Row, class UserOf>
void UserLines::sort(std::vector<Row>& rows, UserOf user_of) {
  std::ranges::sort(rows, {}, [](const Row& row) { return std::pair(row.digest, row.start); });
  // Rows of one digest lie side by side, in the file's order.
  std::size_t group = 0;
  for (std::size_t later = 1; later < rows.size() && !full(); ++later) {
    if (rows[later].digest != rows[group].digest) group = later;
    for (std::size_t earlier = group; earlier < later; ++earlier) {
      if (user_of(rows[earlier]) != user_of(rows[later])) continue;
      wrong("the user is on line " + std::to_string(line_of(rows[earlier].start)) + " already",
            line_of(rows[later].start));
      break;
    }
  }
}

// The row of the user of exactly these octets, or null.
template <class Row, class UserOf>
const Row* find_user(const std::vector<Row>& rows, std::string_view user, UserOf user_of) {
  const std::uint64_t digest = digest_of(user);
  for (auto row = std::ranges::lower_bound(rows, digest, {}, &Row::digest);
       row != rows.end() && row->digest == digest; ++row) {
    if (user_of(*row) == user) return &*row;
  }
  return nullptr;
}

}  // namespace postern::files
