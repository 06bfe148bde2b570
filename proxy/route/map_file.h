#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/route/map.h"

namespace postern::route {

// A problem of a map's file; line 0 is the file itself.
struct MapFileError {
  std::size_t line = 0;
  std::string text;

  bool operator==(const MapFileError&) const = default;
};

// Users and their places, `user pool[/backend]` per line; README.md has the form. Never changed after
// loading; shared by all threads.
class MapFile {
 public:
  using Result = std::expected<std::shared_ptr<const MapFile>, std::vector<MapFileError>>;

  // Every problem, but no more than kMaxErrors; with any problem there is no file.
  static Result load(const std::string& path);
  static Result parse(std::string text);
  static constexpr std::size_t kMaxErrors = 20;

  // Of the user of exactly these octets. Lives as long as the file; null: it is not there.
  const Place* find(std::string_view user) const;

  std::size_t size() const { return rows_.size(); }
  // Every place that some user has, once: for a check against the configuration.
  const std::vector<Place>& places() const { return places_; }

 private:
  struct Row {
    std::uint64_t digest;  // of the user; rows are sorted by it
    std::uint32_t start;   // of the user in text_, which a blank ends
    std::uint32_t place;   // in places_
  };
  friend class MapFileParser;  // in map_file.cc

  explicit MapFile(std::string text) : text_(std::move(text)) {}
  std::string_view user_of(const Row& row) const;

  std::string text_;
  std::vector<Row> rows_;
  std::vector<Place> places_;
};

// The map that such a file is. Answers at once.
class FileMap final : public Map {
 public:
  explicit FileMap(std::shared_ptr<const MapFile> file) : file_(std::move(file)) {}  // never null

  std::optional<MapAnswer> find(std::string_view user, net::AnswerTicket ticket) override;
  void cancel(net::AnswerTicket) override {}

 private:
  std::shared_ptr<const MapFile> file_;
};

}  // namespace postern::route
