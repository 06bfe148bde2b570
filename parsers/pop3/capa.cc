#include "parsers/pop3/capa.h"

#include <algorithm>
#include <array>

#include "parsers/pop3/keyword.h"
#include "parsers/pop3/reply.h"

namespace postern::pop3 {
namespace {

constexpr std::array<std::string_view, 10> kOurs = {
    "USER",       "SASL",           "STLS",    "RESP-CODES", "AUTH-RESP-CODE",
    "PIPELINING", "IMPLEMENTATION", "XCLIENT", "UTF8",       "LANG"};

bool is_line(std::string_view line) {
  return !line.empty() && line.size() <= kReplyMax - 2 && line.front() != '.' && line.front() != ' ' &&
         std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; });
}

template <typename Keywords>
bool holds(const Keywords& keywords, std::string_view keyword) {
  return std::ranges::any_of(keywords, [keyword](std::string_view k) { return same_keyword(k, keyword); });
}

}  // namespace

std::string shared_capabilities(std::string_view lines) {
  std::string result;
  std::vector<std::string_view> seen;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    auto line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto keyword = split_keyword(line).keyword;
    if (!is_line(line) || holds(kOurs, keyword) || holds(seen, keyword)) continue;
    seen.push_back(keyword);
    (result += line) += "\r\n";
  }
  return result;
}

bool lists_mechanism(std::string_view lines, std::string_view mechanism) {
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    auto [keyword, names] = split_keyword(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    while (same_keyword(keyword, "SASL") && !names.empty()) {
      const auto [name, rest] = split_keyword(names);
      if (same_keyword(name, mechanism)) return true;
      names = rest;
    }
  }
  return false;
}

std::string write_capa(const CapaOffer& offer) {
  std::string list = write_ok("Capability list follows.");
  if (offer.user) list += "USER\r\n";
  if (!offer.mechanisms.empty()) ((list += "SASL") += write_mechanisms(offer.mechanisms, " ", "")) += "\r\n";
  if (offer.stls) list += "STLS\r\n";
  list += "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n";
  list += offer.shared;
  list += "IMPLEMENTATION Postern\r\n.\r\n";
  return list;
}

std::string write_mechanisms(const std::vector<Offer>& mechanisms, std::string_view before,
                             std::string_view behind) {
  std::string names;
  for (const Offer& offer : mechanisms) ((names += before) += offer.name) += behind;
  return names;
}

}  // namespace postern::pop3
