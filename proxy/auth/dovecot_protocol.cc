#include "proxy/auth/dovecot_protocol.h"

#include <algorithm>
#include <charconv>

#include "parsers/base64.h"

namespace postern::auth {

namespace {

constexpr char kEscape = '\001';
constexpr std::string_view kEscaped{"\0\001\t\r\n", 5};
constexpr std::string_view kLetters = "01trn";
constexpr std::size_t kMostMechanisms = 64;

// Takes the text up to the next TAB off `rest`.
std::string_view take_field(std::string_view& rest) {
  const std::size_t tab = std::min(rest.find('\t'), rest.size());
  const std::string_view field = rest.substr(0, tab);
  rest.remove_prefix(std::min(tab + 1, rest.size()));
  return field;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<DovecotFields> parse_fields(std::string_view rest) {
  DovecotFields fields;
  while (!rest.empty()) {
    const std::string_view field = take_field(rest);
    const std::size_t equals = std::min(field.find('='), field.size());
    auto value = unescape(field.substr(std::min(equals + 1, field.size())));
    if (!value) return std::nullopt;
    if (field.substr(0, equals) == "pass") {
      fields.pass = Secret(*value);
      wipe(value->data(), value->size());
    } else {
      fields.named.emplace_back(field.substr(0, equals), std::move(*value));
    }
  }
  return fields;
}

}  // namespace

void append_escaped(Secret& line, std::string_view value) {
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t special = std::min(value.find_first_of(kEscaped, at), value.size());
    line.append(value.substr(at, special - at));
    if (special < value.size()) {
      const char escape[] = {kEscape, kLetters[kEscaped.find(value[special])]};
      line.append({escape, sizeof escape});
    }
    at = special + 1;
  }
}

std::optional<std::string> unescape(std::string_view value) {
  std::string plain;
  plain.reserve(value.size());
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] != kEscape) {
      plain += value[at];
      continue;
    }
    const std::size_t which = ++at < value.size() ? kLetters.find(value[at]) : std::string_view::npos;
    if (which == std::string_view::npos) return std::nullopt;
    plain += kEscaped[which];
  }
  return plain;
}

const std::string* DovecotFields::find(std::string_view name) const {
  const auto found = std::ranges::find(named, name, &std::pair<std::string, std::string>::first);
  return found == named.end() ? nullptr : &found->second;
}

std::string DovecotProtocol::greeting(std::uint32_t client) {
  return "VERSION\t1\t2\nCPID\t" + std::to_string(client) + "\n";
}

bool DovecotProtocol::offers(std::string_view mechanism) const {
  return std::ranges::find(mechanisms_, mechanism, &Mechanism::name) != mechanisms_.end();
}

DovecotProtocol::Event DovecotProtocol::next() {
  while (state_ != State::Broken) {
    const auto line = buffer_.next_line(kLongestLine);
    if (std::holds_alternative<LineBuffer::NeedMore>(line)) return NeedData{};
    if (std::holds_alternative<LineBuffer::TooLong>(line)) return broken("a line longer than 64 KiB");
    if (auto event = understand(std::get<LineBuffer::Line>(line).text)) return std::move(*event);
  }
  return NeedData{};
}

DovecotProtocol::Event DovecotProtocol::broken(std::string why) {
  state_ = State::Broken;
  buffer_.clear();
  return Broken{std::move(why)};
}

std::optional<DovecotProtocol::Event> DovecotProtocol::understand(std::string_view line) {
  std::string_view rest = line;
  const std::string_view command = take_field(rest);
  if (state_ != State::Answering) return introduction(command, rest);
  if (command == "OK") return answer(DovecotReply::Kind::Ok, rest);
  if (command == "FAIL") return answer(DovecotReply::Kind::Fail, rest);
  if (command == "CONT") return answer(DovecotReply::Kind::Continue, rest);
  return std::nullopt;  // of a later minor version
}

std::optional<DovecotProtocol::Event> DovecotProtocol::introduction(std::string_view command,
                                                                    std::string_view rest) {
  if (state_ == State::Version) {
    if (command != "VERSION") return broken("it does not begin with its version");
    if (take_field(rest) != "1") return broken("its protocol is not version 1");
    state_ = State::FirstBlock;
  } else if (command == "MECH") {
    if (mechanisms_.size() == kMostMechanisms) return broken("too many mechanisms");
    Mechanism mechanism{std::string(take_field(rest))};
    while (!rest.empty()) mechanism.hidden |= take_field(rest) == "private";
    mechanisms_.push_back(std::move(mechanism));
  } else if (command == "DONE") {
    state_ = State::Answering;
    return Ready{};
  } else if (command == "OK" || command == "FAIL" || command == "CONT") {
    return broken("a reply before its first block was over");
  }
  return std::nullopt;  // SPID, CUID and COOKIE are for masters, which we are not
}

std::optional<DovecotProtocol::Event> DovecotProtocol::answer(DovecotReply::Kind kind,
                                                              std::string_view rest) {
  const auto id = parse_number<std::uint32_t>(take_field(rest));
  if (!id) return broken("a reply without the number of its question");
  DovecotReply reply{kind, *id, {}, {}};
  if (kind == DovecotReply::Kind::Continue) {
    if (const auto message = decode_base64(take_field(rest))) reply.challenge = message->reveal();
    return reply;
  }
  auto fields = parse_fields(rest);
  if (!fields) return broken("a value with a bad escape");
  reply.fields = std::move(*fields);
  return reply;
}

}  // namespace postern::auth
