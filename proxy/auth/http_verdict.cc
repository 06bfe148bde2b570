#include "proxy/auth/http_verdict.h"

#include <algorithm>
#include <charconv>
#include <expected>
#include <optional>
#include <utility>

#include "parsers/base64.h"

namespace postern::auth {

namespace {

constexpr std::size_t kWords = 400;
constexpr std::size_t kName = 255;  // of a user, a pool, a backend or a host (RFC 1035 §3.1)
constexpr unsigned kLongestWait = 86400;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// What a field holds; the error is what is wrong with it.
template <class T>
using Field = std::expected<std::optional<T>, std::string>;

// An absent field is nullopt. One that is there twice, empty or has controls is an error: which was meant?
Field<std::string_view> field_of(const HttpAnswer& answer, std::string_view name) {
  const auto value = answer.find(name);
  if (!value) return std::nullopt;
  const auto wrong = [name](std::string_view why) {
    return std::unexpected(std::string(name) + " is " + std::string(why));
  };
  if (answer.repeated(name)) return wrong("repeated");
  if (value->empty()) return wrong("empty");
  if (std::ranges::any_of(*value, is_control)) return wrong("not printable");
  return *value;
}

Field<unsigned> number_of(const HttpAnswer& answer, std::string_view name, unsigned least, unsigned most) {
  const auto text = field_of(answer, name);
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::nullopt;
  unsigned number = 0;
  const char* end = (*text)->data() + (*text)->size();
  const auto [rest, error] = std::from_chars((*text)->data(), end, number);
  if (error != std::errc{} || rest != end || number < least || number > most)
    return std::unexpected(std::string(name) + " is not a number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  return number;
}

Field<std::string_view> name_in(const HttpAnswer& answer, std::string_view name) {
  auto text = field_of(answer, name);
  if (text && *text && (*text)->size() > kName) return std::unexpected(std::string(name) + " is too long");
  return text;
}

// An address, or a name of letters, digits, hyphens, underscores and dots.
bool is_host(std::string_view text) {
  if (Address::parse(text)) return true;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

Answer refused(Fault fault, std::string detail) {
  Answer answer;
  answer.refusal = {.fault = fault, .code = {}, .text = {}};
  answer.detail = std::move(detail);
  return answer;
}

Answer malformed(std::string detail) { return refused(Fault::AuthProtocol, std::move(detail)); }

Answer accept(const HttpAnswer& answer, bool named) {
  const auto host = name_in(answer, "Auth-Server");
  const auto port = number_of(answer, "Auth-Port", 1, 65535);
  const auto user = name_in(answer, "Auth-User");
  const auto password = field_of(answer, "Auth-Pass");
  const auto pool = name_in(answer, "Auth-Pool");
  const auto backend = name_in(answer, "Auth-Backend");
  for (const auto* text : {&host, &user, &password, &pool, &backend}) {
    if (!*text) return malformed(text->error());
  }
  if (!port) return malformed(port.error());
  if (host->has_value() != port->has_value())
    return malformed(*host ? "Auth-Port is missing" : "Auth-Server is missing");
  if (*host && !is_host(**host)) return malformed("Auth-Server is no host");
  if (*backend && !*pool) return malformed("Auth-Backend without Auth-Pool");
  if (!named && !*user) return malformed("Auth-User is missing: the login had no user name");

  Answer accepted;
  accepted.kind = Answer::Kind::Accepted;
  accepted.refusal = {};
  Destination& destination = accepted.destination;
  destination.host = host->value_or("");
  destination.port = static_cast<std::uint16_t>(port->value_or(0));
  destination.pool = pool->value_or("");
  destination.backend = backend->value_or("");
  // nginx's Auth-User is what the store reads. Where the client told no name, it is who the client is, too.
  (named ? destination.store_user : destination.user) = user->value_or("");
  destination.password = Secret(password->value_or(""));
  return accepted;
}

Answer refuse(const HttpAnswer& answer, std::string_view words, bool token) {
  const auto wait = number_of(answer, "Auth-Wait", 0, kLongestWait);
  const auto challenge = field_of(answer, "Auth-Error-SASL");
  if (!wait) return malformed(wait.error());
  if (!challenge) return malformed(challenge.error());

  Answer refusal = refused(Fault::BadCredentials, {});
  refusal.refusal.text = clean_words(words);
  refusal.wait = std::chrono::seconds(wait->value_or(0));
  refusal.close = wait->value_or(0) == 0;
  if (token && *challenge) {
    const auto decoded = decode_base64(**challenge);
    if (!decoded) return malformed("Auth-Error-SASL is not base64");
    refusal.challenge = decoded->reveal();
  }
  return refusal;
}

}  // namespace

std::variant<Answer, AskAgain> read_verdict(const HttpAnswer& answer, Mechanism mechanism, bool named) {
  if (!answer.find("Auth-Status")) {
    const bool success = answer.status >= 200 && answer.status < 300;
    if (!success) return refused(Fault::AuthUnavailable, "HTTP status " + std::to_string(answer.status));
    return malformed("Auth-Status is missing");
  }
  if (answer.repeated("Auth-Status")) return malformed("Auth-Status is repeated");
  const std::string_view status = *answer.find("Auth-Status");
  if (status.empty()) return malformed("Auth-Status is empty");
  if (status == "OK") return accept(answer, named);
  if (status == "WAIT") {
    const auto wait = number_of(answer, "Auth-Wait", 0, kLongestWait);
    if (!wait) return malformed(wait.error());
    return AskAgain{std::chrono::seconds(wait->value_or(0))};
  }
  return refuse(answer, status, mechanism == Mechanism::XOAuth2 || mechanism == Mechanism::OAuthBearer);
}

std::string clean_words(std::string_view text) {
  std::string words(text.substr(0, kWords));
  if (words.size() < text.size()) {
    // 10xxxxxx goes on with a character that began before (RFC 3629 §3).
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    if (continues(text[kWords])) {
      while (!words.empty() && continues(words.back())) words.pop_back();
      if (!words.empty()) words.pop_back();
    }
  }
  std::erase_if(words, is_control);
  return words;
}

}  // namespace postern::auth
