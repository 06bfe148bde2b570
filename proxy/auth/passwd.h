#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/files/file_state.h"
#include "proxy/files/problem.h"

namespace postern::auth {

// One user of the file; the views live as long as the PasswdFile. Empty pool or backend: the route decides.
struct PasswdEntry {
  std::string_view user;
  std::string_view hash;  // for crypt(3), without Dovecot's "{SCHEME}"
  std::string_view pool;
  std::string_view backend;
};

// A password file, `user:hash[:pool[:backend]]` per line; README.md has the hashes that are understood. Never
// changed after loading; shared by all threads.
class PasswdFile {
 public:
  using Result = std::expected<std::shared_ptr<const PasswdFile>, files::Problems>;

  // With any problem there is no file. A load that is to stop ends soon, with an error.
  static Result load(const std::string& path, const std::stop_token& stop = {});
  static Result parse(std::string text);

  // The user of exactly these octets; nullopt when there is none, or when its password is locked.
  std::optional<PasswdEntry> find(std::string_view user) const;

  // A hash that costs as much as most of this file's: what an unknown user's password is checked against, so
  // that the time does not tell. Its outcome must be thrown away.
  std::string_view decoy() const { return decoy_; }

  std::size_t size() const { return rows_.size(); }

  // Of the file when load() opened it.
  const files::FileState& state() const { return state_; }

  ~PasswdFile();
  PasswdFile(const PasswdFile&) = delete;

 private:
  struct Row {
    std::uint64_t digest;                              // of the user; rows are sorted by it
    std::uint32_t start;                               // of the user in text_
    std::uint16_t user, skipped, hash, pool, backend;  // lengths; `skipped` is ":{SCHEME}"
  };
  friend class PasswdParser;  // in passwd.cc

  explicit PasswdFile(std::string text) : text_(std::move(text)) {}
  PasswdEntry entry(const Row& row) const;

  files::FileState state_;
  std::string text_;
  std::vector<Row> rows_;
  std::string decoy_;
};

}  // namespace postern::auth
