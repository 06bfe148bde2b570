#include "parsers/imap/capability.h"

#include <algorithm>
#include <array>

#include "parsers/imap/text.h"
#include "parsers/offer.h"

namespace postern {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto kCode = "[CAPABILITY "sv;

// Postern decides these itself, whatever its stores say.
constexpr std::array kOwn = {"IMAP4rev1"sv, "SASL-IR"sv,  "LITERAL+"sv,      "LITERAL-"sv,
                             "ID"sv,        "STARTTLS"sv, "LOGINDISABLED"sv, "LOGIN-REFERRALS"sv};

// Words about logging in are of no use behind it.
constexpr std::array kLogin = {"STARTTLS"sv, "LOGINDISABLED"sv};

template <typename Words>
bool contains(const Words& words, std::string_view word) {
  return std::ranges::any_of(words, [word](std::string_view w) { return equals_ignoring_case(w, word); });
}

bool is_mechanism(std::string_view word) { return starts_with_ignoring_case(word, "AUTH="); }

void add(std::string& list, std::string_view word) {
  if (!list.empty()) list += ' ';
  list += word;
}

template <typename Keep>
std::string filter(std::string_view list, Keep keep) {
  std::string kept;
  while (true) {
    const std::string_view word = take_word(list);
    if (word.empty()) return kept;
    if (is_atom(word) && keep(word)) add(kept, word);
  }
}

}  // namespace

bool has_capability(std::string_view list, std::string_view word) {
  while (true) {
    const std::string_view candidate = take_word(list);
    if (candidate.empty()) return false;
    if (equals_ignoring_case(candidate, word)) return true;
  }
}

bool offers_starttls(const FrontSetup& setup) { return setup.starttls && !setup.secure; }

std::string front_capabilities(const FrontSetup& setup) {
  std::string list = "IMAP4rev1 SASL-IR LITERAL+ ID";
  if (offers_starttls(setup)) add(list, "STARTTLS");
  if (!setup.secure || !offers_passwords(setup)) add(list, "LOGINDISABLED");
  for (const Offer& offer : setup.secure ? offers_of(setup) : std::vector<Offer>{}) {
    add(list, "AUTH=");
    list += offer.name;
  }
  std::string_view rest = setup.store_capabilities;
  while (true) {
    const std::string_view word = take_word(rest);
    if (word.empty()) return list;
    if (is_atom(word) && !is_mechanism(word) && !contains(kOwn, word) && !has_capability(list, word)) {
      add(list, word);
    }
  }
}

std::string capabilities_after_login(std::string_view list) {
  return filter(list, [](std::string_view word) { return !is_mechanism(word) && !contains(kLogin, word); });
}

std::string capabilities_in_code(std::string_view text) {
  if (!starts_with_ignoring_case(text, kCode)) return {};
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return {};
  return clean_capabilities(text.substr(kCode.size(), end - kCode.size()));
}

std::string clean_capabilities(std::string_view list) {
  return filter(list, [](std::string_view) { return true; });
}

}  // namespace postern
