#include "tests/transcripts/verbs.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "parsers/fault.h"

namespace postern::transcript {

namespace {

using enum Step::Kind;

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"login",
       Side::Front,
       Event,
       1,
       4,
       {{"mechanism"}, {"user"}, {"password"}, {"authorization"}, {"sasl_name"}, {"message", "(none)"}}},
      {"challenge", Side::Front, Answer, 1, 1, {{"message"}}},
      {"response", Side::Front, Event, 1, 1, {{"message"}}},
      {"cancelled", Side::Front, Event, 0, 0, {}},
      {"accept", Side::Front, Answer, 1, 1, {{"text"}, {"capabilities"}, {"untagged"}}},
      {"reject", Side::Front, Answer, 1, 1, {{"fault"}, {"code"}, {"text"}}},
      {"close", Side::Front, Event, 0, 1, {{"fault", "none"}}},
      {"farewell", Side::Front, Question, 1, 1, {{"fault"}}},
      {"forwarded",
       Side::Front,
       Question,
       0,
       0,
       {{"client"}, {"connected"}, {"session"}, {"server_name"}, {"hops_left"}, {"malformed", "no"}}},
      {"client_id", Side::Front, Question, 1, 1, {{"text"}}},

      {"logged_in", Side::Back, Event, 1, 1, {{"text"}, {"capabilities"}, {"untagged"}}},
      {"refused", Side::Back, Event, 1, 1, {{"fault"}, {"code"}, {"text"}}},
      {"probed", Side::Back, Event, 0, 0, {}},
      {"challenge", Side::Back, Event, 1, 1, {{"message"}}},
      {"respond", Side::Back, Answer, 1, 1, {{"message"}}},
      {"give_up", Side::Back, Answer, 0, 0, {}},
      {"closed", Side::Back, Question, 1, 1, {{"fault"}, {"code"}, {"text"}}},
      {"credentials_sent", Side::Back, Question, 1, 1, {{"answer"}}},
      {"capabilities", Side::Back, Question, 1, 1, {{"text"}}},

      {"starttls", Side::Front, Event, 0, 0, {}},
      {"starttls", Side::Back, Event, 0, 0, {}},
      {"secured", Side::Front, Answer, 0, 0, {}},
      {"secured", Side::Back, Answer, 0, 0, {}},
  };
  return table;
}

std::optional<char> hex_octet(std::string_view digits) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.size() != 2) return std::nullopt;
  return static_cast<char>(value);
}

// The inside of \{count:text}.
std::optional<std::string> repetition(std::string_view inside) {
  const std::size_t colon = inside.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(inside.data(), inside.data() + colon, count);
  if (error != std::errc{} || end != inside.data() + colon || count > 1'000'000) return std::nullopt;
  const auto unit = unescape(inside.substr(colon + 1));
  if (!unit) return std::nullopt;
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) repeated += *unit;
  return repeated;
}

// A word with its quotes and escapes still in it.
struct RawWord {
  std::string_view text;
  std::string_view name;  // of name=text
};

// The end of what starts at `at`: behind the closing quote, or the next space.
std::size_t end_of_word(std::string_view text, std::size_t at) {
  const bool quoted = text[at] == '"';
  for (std::size_t i = at + (quoted ? 1 : 0); i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (quoted ? text[i] == '"' : text[i] == ' ') {
      return quoted ? i + 1 : i;
    }
  }
  return quoted ? std::string_view::npos : text.size();
}

std::expected<std::vector<RawWord>, std::string> split_words(std::string_view text) {
  std::vector<RawWord> words;
  std::size_t at = 0;
  while (true) {
    at = text.find_first_not_of(' ', at);
    if (at == std::string_view::npos) return words;
    RawWord word;
    const std::size_t name_end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
    if (name_end != std::string_view::npos && name_end > at && text[name_end] == '=') {
      word.name = text.substr(at, name_end - at);
      at = name_end + 1;
    }
    const std::size_t end = at < text.size() ? end_of_word(text, at) : at;
    if (end == std::string_view::npos) return std::unexpected("a quote is not closed");
    if (end < text.size() && text[end] != ' ') return std::unexpected("a space is missing behind a quote");
    word.text = text.substr(at, end - at);
    words.push_back(word);
    at = end;
  }
}

std::expected<std::string, std::string> value_of(std::string_view raw) {
  if (!raw.starts_with('"')) return unescape(raw);
  std::string unquoted;
  for (std::size_t i = 1; i + 1 < raw.size(); ++i) {
    if (raw[i] == '\\' && raw[i + 1] != '"')
      unquoted += raw[i++];
    else if (raw[i] == '\\')
      ++i;
    unquoted += raw[i];
  }
  return unescape(unquoted);
}

bool is_fault(std::string_view name) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (name_of(static_cast<Fault>(i)) == name) return true;
  }
  return false;
}

}  // namespace

const Verb* find_verb(Side side, std::string_view name) {
  const auto found =
      std::ranges::find_if(verbs(), [&](const Verb& verb) { return verb.side == side && verb.name == name; });
  return found == verbs().end() ? nullptr : &*found;
}

const Verb& setup_verb(Side side) {
  static const Verb front{"setup",
                          Side::Front,
                          Answer,
                          0,
                          0,
                          {{"host", "proxy.example"},
                           {"secure", "yes"},
                           {"starttls", "no"},
                           {"mechanisms", "plain,login"},
                           {"relayed"},
                           {"capabilities"},
                           {"line"},
                           {"literal"},
                           {"bad_commands"}}};
  static const Verb back{"setup",
                         Side::Back,
                         Answer,
                         0,
                         0,
                         {{"starttls", "no"},
                          {"secure", "no"},
                          {"forward_id", "no"},
                          {"forward_xclient", "no"},
                          {"probe", "no"},
                          {"mechanism", "command"},
                          {"user", "alice"},
                          {"authorization"},
                          {"password", "secret"},
                          {"message"},
                          {"session", "s1"},
                          {"client", "192.0.2.1:1234"},
                          {"connected", "198.51.100.1:993"},
                          {"client_secure", "yes"},
                          {"server_name"},
                          {"hops_left", "7"},
                          {"client_id"},
                          {"forward"}}};
  return side == Side::Front ? front : back;
}

std::expected<Fields, std::string> read_fields(const Verb& verb, std::string_view text) {
  const auto words = split_words(text);
  if (!words) return std::unexpected(words.error());
  Fields fields;
  for (const Field& field : verb.fields) fields.emplace(field.name, field.otherwise);

  std::size_t plain = 0;
  for (const RawWord& word : *words) {
    const auto value = value_of(word.text);
    if (!value) return std::unexpected(value.error());
    if (word.name.empty()) {
      if (plain == verb.plain) return std::unexpected("too many words for " + std::string(verb.name));
      fields[std::string(verb.fields[plain++].name)] = *value;
    } else {
      const auto field = fields.find(std::string(word.name));
      if (field == fields.end()) return std::unexpected("no field " + std::string(word.name) + " here");
      field->second = *value;
    }
  }
  if (plain < verb.required) return std::unexpected("a word is missing for " + std::string(verb.name));
  const auto fault = fields.find("fault");
  if (fault != fields.end() && !is_fault(fault->second)) return std::unexpected("no fault " + fault->second);
  return fields;
}

std::expected<std::string, std::string> unescape(std::string_view text, bool* ends_with_crlf) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    const char escape = ++i < text.size() ? text[i] : ' ';
    if (escape == 'r') {
      bytes += '\r';
    } else if (escape == 'n') {
      bytes += '\n';
    } else if (escape == 't') {
      bytes += '\t';
    } else if (escape == '0') {
      bytes += '\0';
    } else if (escape == '\\') {
      bytes += '\\';
    } else if (escape == 'x' && hex_octet(text.substr(i + 1, 2))) {
      bytes += *hex_octet(text.substr(i + 1, 2));
      i += 2;
    } else if (escape == 'c' && ends_with_crlf != nullptr && i + 1 == text.size()) {
      *ends_with_crlf = false;
    } else if (const std::size_t end = text.find('}', i); escape == '{' && end != std::string_view::npos &&
                                                          repetition(text.substr(i + 1, end - i - 1))) {
      bytes += *repetition(text.substr(i + 1, end - i - 1));
      i = end;
    } else {
      return std::unexpected("unknown escape \\" + std::string(1, escape));
    }
  }
  return bytes;
}

}  // namespace postern::transcript
