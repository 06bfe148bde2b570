#include "proxy/auth/dovecot_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace postern::auth {

namespace {

constexpr std::chrono::minutes kLongestWait{5};
constexpr std::chrono::hours kLongestTimeout{1};
constexpr std::size_t kForwardName = 20;
constexpr std::size_t kForwardValue = 1024;
constexpr std::string_view kForward = "forward_";

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char octet) { return octet >= 0x20 && octet < 0x7f; });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char octet) { return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f; });
}

// The number that `text` begins with, which is taken off.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = take_number(text);
  if (!number || !text.empty() || *number == 0 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// Dovecot's form: seconds, or a number and a unit that may be cut short ("500ms", "5 s", "2 mins").
std::optional<Duration> parse_interval(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t milliseconds;
  };
  constexpr std::array kUnits{Unit{"secs", 1000},     Unit{"seconds", 1000}, Unit{"mins", 60000},
                              Unit{"minutes", 60000}, Unit{"msecs", 1},      Unit{"milliseconds", 1}};
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto unit =
      std::ranges::find_if(kUnits, [text](const Unit& each) { return each.name.starts_with(text); });
  if (unit == kUnits.end()) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(Duration(kLongestTimeout).count());
  if (*number > kMost / unit->milliseconds) return std::nullopt;
  return Duration(*number * unit->milliseconds);
}

// delay_until, "<seconds since 1970>[+<most seconds at random>]".
std::optional<Duration> parse_wait(std::string_view text, std::chrono::system_clock::time_point now,
                                   std::uint32_t random) {
  const auto until = take_number(text);
  std::optional<std::uint64_t> spread = 0;
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    spread = take_number(text);
  }
  constexpr auto kMost = static_cast<std::uint64_t>(std::chrono::seconds(kLongestWait).count());
  const auto today = static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(now));
  if (!until || !spread || !text.empty() || *until > today + kMost || *spread > kMost) return std::nullopt;
  const Duration wait = std::chrono::seconds((*until > today ? *until - today : 0) + random % (*spread + 1));
  if (wait > kLongestWait) return std::nullopt;
  return wait;
}

Answer refused(Fault fault, std::string detail) {
  Answer answer;
  answer.refusal.fault = fault;
  answer.detail = std::move(detail);
  return answer;
}

Answer misunderstood(std::string detail) { return refused(Fault::AuthProtocol, std::move(detail)); }

void give_reason(Answer& answer, const DovecotFields& fields) {
  const std::string* reason = fields.find("reason");
  if (!reason) return;
  if (is_printable(*reason)) {
    answer.refusal.text = *reason;
  } else {
    answer.detail += "; its reason is not ASCII and was not passed on";
  }
}

// Where to, of a user that shall be proxied. False: it cannot be understood, and `answer` says so.
bool read_store(Answer& answer, const DovecotFields& fields) {
  Destination& to = answer.destination;
  const std::string* host = fields.find("host");
  const std::string* address = fields.find("hostip");
  if ((host && host->empty()) || (address && !Address::parse(*address))) {
    return answer = misunderstood("OK with an empty host, or a hostip that is none"), false;
  }
  if (host && address) {
    const auto literal = Address::parse(*host);
    if (literal && literal != Address::parse(*address)) {
      return answer = misunderstood("OK with a host and a hostip that differ"), false;
    }
  }
  if (host || address) to.host = host ? *host : *address;
  if (has_control(to.host)) return answer = misunderstood("OK with a control character in host"), false;
  if (const std::string* port = fields.find("port")) {
    const auto number = parse_port(*port);
    if (!number) return answer = misunderstood("OK with a port that is none"), false;
    to.port = *number;
  }
  for (const auto& [name, kind] :
       {std::pair{"ssl", conf::StoreTls::Implicit}, std::pair{"starttls", conf::StoreTls::StartTls}}) {
    const std::string* value = fields.find(name);
    if (!value || *value == "no") continue;
    to.tls = kind;
    to.verify = to.verify.value_or(true) && *value != "any-cert";
  }
  return true;
}

// Things that the log shall know, without its being a reason to refuse.
void read_forward(Answer& answer, const DovecotFields& fields) {
  for (const auto& [name, value] : fields.named) {
    if (!name.starts_with(kForward)) continue;
    const std::string key = name.substr(kForward.size());
    const bool fits = !key.empty() && key.size() <= kForwardName && value.size() <= kForwardValue;
    if (fits && is_printable(key) && key.find_first_of("\"\\ ") == std::string::npos && !has_control(value)) {
      answer.destination.forward.emplace_back(key, value);
    } else {
      answer.detail = "OK with a forward_ field that cannot be forwarded";
    }
  }
}

}  // namespace

Answer understand_ok(DovecotReply reply, std::chrono::system_clock::time_point now, std::uint32_t random) {
  DovecotFields& fields = reply.fields;
  Answer answer;
  Destination& to = answer.destination;
  const auto text = [&fields](std::string_view name) {
    const std::string* value = fields.find(name);
    return value ? *value : std::string();
  };
  const bool proxied = fields.has("proxy") || fields.has("proxy_maybe");
  if (fields.has("nologin") && !proxied) {
    answer = refused(Fault::AccountDisabled, "OK with nologin");
    give_reason(answer, fields);
    return answer;
  }
  to.user = text("user");
  if (to.user.empty()) return misunderstood("OK without a user");
  if (proxied && !read_store(answer, fields)) return answer;
  to.pool = text("pool");
  to.backend = text("backend");
  to.store_user = text("destuser");
  to.master = text("master");
  to.password = std::move(fields.pass);
  for (const std::string* name : {&to.user, &to.pool, &to.backend, &to.store_user, &to.master}) {
    if (has_control(*name)) return misunderstood("OK with a control character in a name");
  }
  if (!to.backend.empty() && to.pool.empty()) return misunderstood("OK with a backend without its pool");
  if (const std::string* timeout = fields.find("proxy_timeout")) {
    to.timeout = parse_interval(*timeout);
    if (!to.timeout) return misunderstood("OK with a proxy_timeout that is none, or more than an hour");
    if (*to.timeout == Duration(0)) to.timeout.reset();
  }
  if (const std::string* until = fields.find("delay_until")) {
    const auto wait = parse_wait(*until, now, random);
    if (!wait) return misunderstood("OK with a delay_until that is none, or more than 5 minutes ahead");
    answer.wait = *wait;
  }
  answer.kind = Answer::Kind::Accepted;
  answer.refusal = {};
  read_forward(answer, fields);
  return answer;
}

Answer understand_fail(const DovecotReply& reply) {
  const DovecotFields& fields = reply.fields;
  const std::string* code = fields.find("code");
  const auto said = [&fields, code](std::string_view flag, std::string_view its_code) {
    return fields.has(flag) || (code && *code == its_code);
  };
  Answer answer;
  if (said("temp", "temp_fail")) {
    answer = refused(Fault::AuthUnavailable, "Dovecot failed for the time being");
  } else if (said("authz", "authz_fail")) {
    answer = refused(Fault::NotAuthorized, "Dovecot refused the authorization");
  } else if (said("user_disabled", "user_disabled")) {
    answer = refused(Fault::AccountDisabled, "Dovecot says the user is disabled");
  } else if (said("pass_expired", "pass_expired")) {
    answer = refused(Fault::PasswordExpired, "Dovecot says the password has expired");
  } else {
    answer = refused(Fault::BadCredentials, "Dovecot refused the credentials");
  }
  give_reason(answer, fields);
  const std::string* user = fields.find("user");
  if (user && !has_control(*user)) answer.destination.user = *user;
  return answer;
}

}  // namespace postern::auth
