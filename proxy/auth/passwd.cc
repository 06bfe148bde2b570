#include "proxy/auth/passwd.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <re2/re2.h>
#include <utility>

#include "parsers/secret.h"
#include "proxy/files/text_file.h"
#include "proxy/files/user_lines.h"

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

}  // namespace

class PasswdParser {
 public:
  PasswdParser(std::string text, const files::FileState& state, const std::stop_token& stop)
      : file_(new PasswdFile(std::move(text))), lines_(file_->text_, stop) {
    file_->state_ = state;
    for (const Method& method : kMethods) forms_.push_back(std::make_unique<RE2>(method.form, RE2::Latin1));
  }

  PasswdFile::Result parse() {
    file_->rows_.reserve(lines_.count());
    for (std::string_view line; lines_.next(line);) parse_line(line);
    lines_.sort(file_->rows_, [this](const auto& row) { return file_->entry(row).user; });
    if (auto problems = std::move(lines_).problems(); !problems.empty()) {
      return std::unexpected(std::move(problems));
    }
    const auto most =
        std::ranges::max_element(costs_, {}, [](const auto& cost) { return cost.second.users; });
    file_->decoy_ = most == costs_.end() ? kDecoy : most->second.hash;
    return std::move(file_);
  }

 private:
  void wrong(std::string text) { lines_.wrong(std::move(text)); }

  void parse_line(std::string_view line) {
    if (line.empty() || line.front() == '#' || !lines_.clean(line, false)) return;
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
    const auto start = static_cast<std::uint32_t>(line.data() - file_->text_.data());
    file_->rows_.push_back({files::digest_of(user), start, length(user.size()),
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

  struct Cost {
    std::size_t users;
    std::string_view hash;
  };

  std::shared_ptr<PasswdFile> file_;
  std::vector<std::unique_ptr<RE2>> forms_;  // of kMethods
  std::map<std::string_view, Cost> costs_;
  files::UserLines lines_;
};

PasswdFile::Result PasswdFile::load(const std::string& path, const std::stop_token& stop) {
  auto file = files::read_text(path, stop);
  if (!file) return std::unexpected(std::move(file).error());
  return PasswdParser(std::move(file->text), file->state, stop).parse();
}

PasswdFile::Result PasswdFile::parse(std::string text) {
  return PasswdParser(std::move(text), {}, {}).parse();
}

PasswdFile::~PasswdFile() { wipe(text_.data(), text_.size()); }

std::optional<PasswdEntry> PasswdFile::find(std::string_view user) const {
  const Row* row = files::find_user(rows_, user, [this](const Row& one) { return entry(one).user; });
  if (row == nullptr) return std::nullopt;
  const PasswdEntry found = entry(*row);
  if (found.hash.starts_with('!') || found.hash.starts_with('*')) return std::nullopt;
  return found;
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
