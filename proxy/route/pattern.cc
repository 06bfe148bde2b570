#include "proxy/route/pattern.h"

#include <re2/re2.h>

namespace postern::route {

namespace {

// RE2's memory for one expression and its automata: enough for lists of thousands of names, and a bound.
constexpr std::int64_t kMemory = 8 << 20;

RE2::Options options(Pattern::Case letters) {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);  // octets
  options.set_dot_nl(true);
  options.set_never_capture(true);
  options.set_log_errors(false);
  options.set_max_mem(kMemory);
  options.set_case_sensitive(letters == Pattern::Case::Exact);
  return options;
}

std::string expression_of_glob(std::string_view glob) {
  std::string expression;
  for (const char& octet : glob) {
    if (octet == '*') {
      expression += ".*";
    } else if (octet == '?') {
      expression += '.';
    } else {
      expression += RE2::QuoteMeta(re2::StringPiece(&octet, 1));
    }
  }
  return expression;
}

}  // namespace

struct Pattern::Compiled {
  Compiled(const std::string& expression, Case letters) : re(expression, options(letters)) {}
  RE2 re;
};

Pattern::Pattern(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::expected<Pattern, std::string> Pattern::user(std::string_view text) {
  if (!text.starts_with('/')) return glob(text, Case::Exact);
  if (text.size() < 3 || !text.ends_with('/')) {
    return std::unexpected("a regular expression stands between two slashes, and is not empty");
  }
  return compile(std::string(text.substr(1, text.size() - 2)), Case::Exact);
}

std::expected<Pattern, std::string> Pattern::glob(std::string_view text, Case letters) {
  if (text.empty()) return std::unexpected("an empty pattern matches nobody");
  if (text == "*") return Pattern(nullptr);
  return compile(expression_of_glob(text), letters);
}

std::expected<Pattern, std::string> Pattern::compile(const std::string& expression, Case letters) {
  auto compiled = std::make_unique<const Compiled>(expression, letters);
  if (!compiled->re.ok()) return std::unexpected(compiled->re.error());
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  return !compiled_ || RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled_->re);
}

}  // namespace postern::route
