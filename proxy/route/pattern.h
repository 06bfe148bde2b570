#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace postern::route {

// A compiled pattern over a whole text; matching takes time linear in the text. A glob ("*" any octets, "?"
// one octet, all else itself) or "/regular expression/" in RE2's syntax, which must match the whole text as
// well. Works on octets: no character set is assumed.
class Pattern {
 public:
  enum class Case : unsigned char { Exact, Ignored };

  // The error says in one sentence what is wrong with the regular expression.
  static std::expected<Pattern, std::string> user(
      std::string_view text);  // a glob or "/.../", octet for octet
  static std::expected<Pattern, std::string> glob(std::string_view text, Case letters);

  bool matches(std::string_view text) const;

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

 private:
  struct Compiled;
  explicit Pattern(std::unique_ptr<const Compiled> compiled);
  static std::expected<Pattern, std::string> compile(const std::string& expression, Case letters);
  std::unique_ptr<const Compiled> compiled_;  // nullptr: matches everything
};

}  // namespace postern::route
