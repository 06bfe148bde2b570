#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/files/file_state.h"
#include "proxy/files/problem.h"
#include "proxy/route/map.h"

namespace postern::route {

// Users and their places, `user pool[/backend]` per line; README.md has the form. Never changed after
// loading; shared by all threads.
class MapFile {
 public:
  using Result = std::expected<std::shared_ptr<const MapFile>, files::Problems>;

  // With any problem there is no file. A load that is to stop ends soon, with an error.
  static Result load(const std::string& path, const std::stop_token& stop = {});
  static Result parse(std::string text);

  // Of the user of exactly these octets. Lives as long as the file; null: it is not there.
  const Place* find(std::string_view user) const;

  std::size_t size() const { return rows_.size(); }
  // Every place that some user has, once: for a check against the configuration.
  const std::vector<Place>& places() const { return places_; }
  // Where the place of this number is written first.
  std::size_t line_of(std::size_t place) const;

  // Of the file when load() opened it.
  const files::FileState& state() const { return state_; }

 private:
  struct Row {
    std::uint64_t digest;  // of the user; rows are sorted by it
    std::uint32_t start;   // of the user in text_, which a blank ends
    std::uint32_t place;   // in places_
  };
  friend class MapFileParser;  // in map_file.cc

  explicit MapFile(std::string text) : text_(std::move(text)) {}
  std::string_view user_of(const Row& row) const;

  files::FileState state_;
  std::string text_;
  std::vector<Row> rows_;
  std::vector<Place> places_;
};

// What the file of a map says now. Shared by all threads; the file is never null.
class CurrentMapFile {
 public:
  explicit CurrentMapFile(std::shared_ptr<const MapFile> file) : file_(std::move(file)) {}

  std::shared_ptr<const MapFile> get() const;
  void replace(std::shared_ptr<const MapFile> file);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const MapFile> file_;
};

// The map that such a file is. Answers at once.
class FileMap final : public Map {
 public:
  explicit FileMap(std::shared_ptr<const CurrentMapFile> file) : file_(std::move(file)) {}  // never null

  std::optional<MapAnswer> find(std::string_view user, net::AnswerTicket ticket) override;
  void cancel(net::AnswerTicket) override {}

 private:
  std::shared_ptr<const CurrentMapFile> file_;
};

}  // namespace postern::route
