#include "proxy/auth/passwd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <map>
#include <re2/re2.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "parsers/secret.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace postern::auth {

namespace {

// The methods of crypt(3) that are understood: Dovecot's name of the scheme ({CRYPT} and no scheme stand for
// every one of them), and the form of a complete hash. The first group is the method and its cost.
struct Method {
  const char* scheme;
  const char* form;
};
constexpr std::array kMethods{
    Method{"BLF-CRYPT", R"((\$2[aby]\$(?:0[4-9]|[12][0-9]|3[01]))\$[./0-9A-Za-z]{53})"},
    Method{"SHA512-CRYPT", R"((\$6\$(?:rounds=[1-9][0-9]{3,8}\$)?)[^$]{0,16}\$[./0-9A-Za-z]{86})"},
    Method{"SHA256-CRYPT", R"((\$5\$(?:rounds=[1-9][0-9]{3,8}\$)?)[^$]{0,16}\$[./0-9A-Za-z]{43})"},
    Method{"MD5-CRYPT", R"((\$1\$)[^$]{0,8}\$[./0-9A-Za-z]{22})"},
    Method{"CRYPT", R"((\$g?y\$[./0-9A-Za-z]+)\$[./0-9A-Za-z]*\$[./0-9A-Za-z]{43})"},  // yescrypt
    Method{"CRYPT", R"((\$7\$[./0-9A-Za-z]{11})[^$]*\$[./0-9A-Za-z]{43})"},            // scrypt
};

// For a file without users. SHA-512 with the default cost.
constexpr std::string_view kDecoy =
    "$6$postern$......................................................................................";

// Leaves no copy behind.
void grow(std::string& text, std::size_t size) {
  std::string larger;
  larger.reserve(size);
  larger = text;
  larger.resize(size);
  std::swap(text, larger);
  wipe(larger.data(), larger.size());
}

std::uint64_t digest_of(std::string_view user) { return XXH3_64bits(user.data(), user.size()); }

}  // namespace

class PasswdParser {
 public:
  PasswdParser(std::string text, const FileState& state, const std::stop_token& stop)
      : file_(new PasswdFile(std::move(text))), stop_(stop) {
    file_->state_ = state;
    for (const Method& method : kMethods) forms_.push_back(std::make_unique<RE2>(method.form, RE2::Latin1));
  }

  PasswdFile::Result parse() {
    const std::string_view text = file_->text_;
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
      return std::unexpected(std::vector<PasswdError>{{0, "the file has more than 4 GiB"}});
    }
    file_->rows_.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
    if (text.starts_with("\xEF\xBB\xBF")) wrong("the file starts with a byte order mark", 1);
    for (std::size_t at = 0; at < text.size() && !full();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      if (stop_.stop_requested()) return stopped();
      ++line_;
      parse_line(at, text.substr(at, end - at));
      at = end + 1;
    }
    std::ranges::sort(file_->rows_, {}, [](const auto& row) { return std::pair(row.digest, row.start); });
    refuse_duplicates();
    if (!errors_.empty()) {
      std::ranges::sort(errors_, {},
                        [](const PasswdError& error) { return std::tie(error.line, error.text); });
      return std::unexpected(std::move(errors_));
    }
    const auto most =
        std::ranges::max_element(costs_, {}, [](const auto& cost) { return cost.second.users; });
    file_->decoy_ = most == costs_.end() ? kDecoy : most->second.hash;
    return std::move(file_);
  }

 private:
  void wrong(std::string text, std::size_t line) { errors_.push_back({line, std::move(text)}); }
  void wrong(std::string text) { wrong(std::move(text), line_); }
  bool full() const { return errors_.size() >= PasswdFile::kMaxErrors; }

  void parse_line(std::size_t start, std::string_view line) {
    if (line.empty() || line.front() == '#') return;
    for (const char octet : line) {
      if (octet == '\r') return wrong("a carriage return: lines end with a line feed alone");
      if (static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f) return wrong("a control character");
    }
    std::array<std::string_view, 4> fields;  // user, hash, pool, backend
    std::size_t count = 0;
    for (std::string_view rest = line;; ++count) {
      if (count == fields.size()) return wrong("more than four fields: user:hash:pool:backend");
      const std::size_t colon = rest.find(':');
      fields[count] = rest.substr(0, colon);
      if (fields[count].starts_with(' ') || fields[count].ends_with(' '))
        return wrong("a space beside a field");
      if (fields[count].size() > std::numeric_limits<std::uint16_t>::max())
        return wrong("a field is too long");
      if (colon == std::string_view::npos) break;
      rest.remove_prefix(colon + 1);
    }
    auto [user, hash, pool, backend] = fields;
    if (user.empty()) return wrong("the user is empty");
    if (count == 0) return wrong("no colon behind the user");
    if (!backend.empty() && pool.empty()) return wrong("a backend without its pool");
    const std::size_t whole = hash.size();
    if (!accept_hash(hash)) return;
    const auto length = [](std::size_t size) { return static_cast<std::uint16_t>(size); };
    file_->rows_.push_back({digest_of(user), static_cast<std::uint32_t>(start), length(user.size()),
                            length(1 + whole - hash.size()), length(hash.size()), length(pool.size()),
                            length(backend.size())});
  }

  // Takes the scheme off. False: the hash cannot be used, and an error says why.
  bool accept_hash(std::string_view& hash) {
    if (hash.starts_with('!') || hash.starts_with('*')) return true;  // locked
    std::string scheme = "CRYPT";
    if (hash.starts_with('{')) {
      const std::size_t brace = hash.find('}');
      scheme = hash.substr(1, brace - 1);
      if (brace == std::string_view::npos || !RE2::FullMatch(scheme, "[0-9A-Za-z.-]{1,24}")) {
        return wrong("a brace opens, but no scheme follows"), false;
      }
      for (char& letter : scheme) {
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
      }
      hash.remove_prefix(brace + 1);
    }
    bool known = false;
    for (std::size_t i = 0; i < kMethods.size(); ++i) {
      if (scheme != "CRYPT" && scheme != kMethods[i].scheme) continue;
      known = true;
      re2::StringPiece cost;
      if (RE2::FullMatch(re2::StringPiece(hash), *forms_[i], &cost)) return count(cost, hash), true;
    }
    if (known) {
      wrong(hash.empty() ? "the hash is empty"
                         : "not a complete hash of a method of crypt(3) that is supported");
    } else if (scheme.starts_with("PLAIN") || scheme.starts_with("CLEAR")) {
      wrong("a password in clear text: write its hash");
    } else {
      wrong("the scheme {" + scheme + "} is not supported");
    }
    return false;
  }

  void count(std::string_view cost, std::string_view hash) {
    auto found = costs_.find(cost);
    if (found == costs_.end()) found = costs_.emplace(cost, Cost{0, hash}).first;
    ++found->second.users;
  }

  // Rows of one digest lie side by side, in the file's order.
  void refuse_duplicates() {
    const auto& rows = file_->rows_;
    std::size_t group = 0;
    for (std::size_t later = 1; later < rows.size() && !full(); ++later) {
      if (rows[later].digest != rows[group].digest) group = later;
      for (std::size_t earlier = group; earlier < later; ++earlier) {
        if (file_->entry(rows[earlier]).user != file_->entry(rows[later]).user) continue;
        wrong("the user is on line " + std::to_string(line_of(rows[earlier])) + " already",
              line_of(rows[later]));
        break;
      }
    }
  }

  std::size_t line_of(const PasswdFile::Row& row) const {
    return 1 +
           static_cast<std::size_t>(std::count(file_->text_.begin(), file_->text_.begin() + row.start, '\n'));
  }

  static PasswdFile::Result stopped() {
    return std::unexpected(std::vector<PasswdError>{{0, "the load was broken off"}});
  }

  struct Cost {
    std::size_t users;
    std::string_view hash;
  };

  std::shared_ptr<PasswdFile> file_;
  std::vector<std::unique_ptr<RE2>> forms_;  // of kMethods
  std::map<std::string_view, Cost> costs_;
  std::vector<PasswdError> errors_;
  std::size_t line_ = 0;
  std::stop_token stop_;
};

PasswdFile::Result PasswdFile::load(const std::string& path, const std::stop_token& stop) {
  const auto failed = [](const std::string& why) {
    return std::unexpected(std::vector<PasswdError>{{0, "cannot be read: " + why}});
  };
  const int descriptor =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // no wait for a pipe's writer
  if (descriptor < 0) return failed(std::strerror(errno));
  const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor,
                                                                [](const int* it) { ::close(*it); });
  const std::optional<FileState> state = FileState::of(descriptor);
  if (!state) return failed(std::strerror(errno));
  if (!state->regular) {
    const bool folder = ::read(descriptor, nullptr, 0) < 0 && errno == EISDIR;
    return failed(folder ? std::strerror(EISDIR) : "not a regular file");
  }
  std::string text;
  std::size_t size = 0;
  grow(text, static_cast<std::size_t>(state->size) + 1);
  while (!stop.stop_requested()) {
    constexpr std::size_t kChunk = std::size_t{1} << 20;
    if (text.size() == size) grow(text, 2 * size + kChunk);
    const ssize_t count = ::read(descriptor, text.data() + size, std::min(text.size() - size, kChunk));
    if (count == 0) break;
    if (count < 0 && errno != EINTR) {
      const int error = errno;
      wipe(text.data(), text.size());
      return failed(std::strerror(error));
    }
    if (count > 0) size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  if (stop.stop_requested()) {
    wipe(text.data(), text.size());
    return failed("the load was broken off");
  }
  return PasswdParser(std::move(text), *state, stop).parse();
}

PasswdFile::Result PasswdFile::parse(std::string text) {
  return PasswdParser(std::move(text), {}, {}).parse();
}

PasswdFile::~PasswdFile() { wipe(text_.data(), text_.size()); }

std::optional<PasswdEntry> PasswdFile::find(std::string_view user) const {
  const std::uint64_t digest = digest_of(user);
  for (auto row = std::ranges::lower_bound(rows_, digest, {}, &Row::digest);
       row != rows_.end() && row->digest == digest; ++row) {
    const PasswdEntry found = entry(*row);
    if (found.user != user) continue;
    if (found.hash.starts_with('!') || found.hash.starts_with('*')) return std::nullopt;
    return found;
  }
  return std::nullopt;
}

PasswdEntry PasswdFile::entry(const Row& row) const {
  std::string_view line = std::string_view(text_).substr(row.start);
  const auto take = [&line](std::size_t skip, std::size_t size) {
    line.remove_prefix(std::min(skip, line.size()));
    const std::string_view taken = line.substr(0, size);
    line.remove_prefix(taken.size());
    return taken;
  };
  PasswdEntry entry;
  entry.user = take(0, row.user);
  entry.hash = take(row.skipped, row.hash);
  entry.pool = take(row.pool ? 1 : 0, row.pool);
  entry.backend = take(row.backend ? 1 : 0, row.backend);
  return entry;
}

}  // namespace postern::auth
