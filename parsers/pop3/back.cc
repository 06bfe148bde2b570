#include "parsers/pop3/back.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "parsers/base64.h"
#include "parsers/pop3/capa.h"
#include "parsers/pop3/keyword.h"
#include "parsers/pop3/xclient.h"
#include "parsers/sasl.h"

namespace postern {

using pop3::Reply;

namespace {

constexpr std::size_t kLineMax = std::size_t{8} * 1024;
constexpr std::size_t kCapabilitiesMax = std::size_t{8} * 1024;
constexpr std::size_t kCommandMax = 255;  // RFC 2449 §4, CRLF included
constexpr std::string_view kEnd = "\r\n";

// POP3 has no way to quote: with one of these in it a name or password would be another command.
bool can_be_said(std::string_view text) {
  return !text.empty() && text.find_first_of(std::string_view("\0\r\n", 3)) == text.npos;
}

struct CodeMeaning {
  std::string_view code;
  Fault fault;
  bool passed_on;  // code and text, to the client
};

constexpr std::array<CodeMeaning, 6> kCodes = {{
    {"AUTH", Fault::BadCredentials, false},
    {"IN-USE", Fault::UserLimit, true},
    {"LOGIN-DELAY", Fault::StoreRefused, true},
    {"REFERRAL", Fault::StoreUnavailable, false},
    {"SYS/PERM", Fault::StoreRefused, true},
    {"SYS/TEMP", Fault::StoreUnavailable, true},
}};

// Codes are hierarchical (RFC 2449 §8): AUTH/X is a kind of AUTH.
bool is_kind_of(std::string_view code, std::string_view general) {
  return pop3::same_keyword(code.substr(0, general.size()), general) &&
         (code.size() == general.size() || code[general.size()] == '/' || code[general.size()] == ' ');
}

// What -ERR to a login means for the client.
Refusal read_refusal(const Reply& reply) {
  if (reply.code.empty()) return {.fault = Fault::BadCredentials, .code = {}, .text = {}};
  const auto known =
      std::ranges::find_if(kCodes, [&](const auto& row) { return is_kind_of(reply.code, row.code); });
  const bool passed_on = known == kCodes.end() || known->passed_on;
  return {.fault = known == kCodes.end() ? Fault::StoreRefused : known->fault,
          .code = passed_on ? std::string(reply.code) : "",
          .text = passed_on ? pop3::printable(reply.text) : ""};
}

Secret command(std::string_view keyword, std::string_view argument) {
  Secret line;
  line.reserve(keyword.size() + argument.size() + kEnd.size());
  line.append(keyword);
  line.append(argument);
  line.append(kEnd);
  return line;
}

}  // namespace

void Pop3Back::receive(std::string_view bytes) {
  if (phase_ != Phase::Done) input_.append(bytes);
}

BackEvent Pop3Back::next() {
  if (pending_) return *std::exchange(pending_, std::nullopt);
  if (phase_ == Phase::Ready) return begin();
  // The store must be silent between its +OK to STLS and the handshake.
  if (phase_ == Phase::Handshake && !input_.empty()) return refuse(Fault::StoreProtocol);
  if (phase_ == Phase::Handshake || phase_ == Phase::Challenged || phase_ == Phase::LoggedIn ||
      phase_ == Phase::Done) {
    return NeedData{};
  }
  while (true) {
    const auto unit = input_.next_line(kLineMax);
    if (std::holds_alternative<LineBuffer::TooLong>(unit)) return refuse(Fault::StoreProtocol);
    const auto* line = std::get_if<LineBuffer::Line>(&unit);
    if (!line) return NeedData{};
    if (auto event = read(line->text)) return *std::move(event);
  }
}

void Pop3Back::secured() {
  setup_.secure = true;
  phase_ = Phase::Ready;
  if (!input_.empty()) pending_ = refuse(Fault::StoreProtocol);
}

// ----------------------------------------------------------------------------------------------- what we say

BackEvent Pop3Back::begin() {
  if (setup_.starttls && !setup_.secure) return say(Phase::Stls, "STLS\r\n");
  if (setup_.probe) return say(Phase::Capa, "CAPA\r\n");
  return log_in();
}

BackEvent Pop3Back::log_in() {
  const bool forward = setup_.forward_xclient && takes_xclient_;
  const std::string xclient = forward ? pop3::write_xclient(setup_.client) : "";
  const bool master = !setup_.authorization.empty();
  if (!is_bearer(setup_.mechanism) && (!can_be_said(setup_.user) || !can_be_said(setup_.password.reveal()) ||
                                       (master && !can_be_said(setup_.authorization)))) {
    return refuse(Fault::BadCredentials);
  }
  if (needs_list()) return say(forward ? Phase::Xclient : Phase::Capa, xclient + "CAPA\r\n");
  if (master && !forward) return say_auth();
  Secret flight(xclient);
  if (!master) flight.append(command("USER ", setup_.user).reveal());
  return say(forward ? Phase::Xclient : Phase::User, std::move(flight));
}

bool Pop3Back::commands_fit() const {
  constexpr std::size_t kAround = std::string_view("USER \r\n").size();
  return kAround + std::max(setup_.user.size(), setup_.password.size()) <= kStoreCommandMax;
}

bool Pop3Back::needs_list() const {
  return is_bearer(setup_.mechanism) || (setup_.authorization.empty() && !commands_fit());
}

BackEvent Pop3Back::say_auth() {
  const std::string keyword =
      "AUTH " + std::string(sasl_name_of(is_bearer(setup_.mechanism) ? setup_.mechanism : Mechanism::Plain));
  const Secret message = sasl_message();
  if (message.size() > kStoreResponseMax) return refuse_length();
  const std::string_view initial = message.empty() ? "=" : message.reveal();
  if (keyword.size() + 1 + initial.size() + kEnd.size() > kCommandMax) {
    return say(Phase::Invited, command(keyword, ""));
  }
  return say_credentials(Phase::Auth, command(keyword + " ", initial));
}

Secret Pop3Back::sasl_message() const {
  if (is_bearer(setup_.mechanism)) return encode_base64(setup_.message.reveal());
  return encode_base64(write_plain(setup_.authorization, setup_.user, setup_.password.reveal()).reveal());
}

void Pop3Back::respond(const Secret& message) {
  if (phase_ != Phase::Challenged) std::abort();
  const Secret response = encode_base64(message.reveal());
  pending_ = response.size() > kStoreResponseMax ? refuse_length()
                                                 : say(Phase::Auth, command("", response.reveal()));
}

void Pop3Back::give_up() {
  if (phase_ != Phase::Challenged) std::abort();
  gave_up_ = true;
  pending_ = say(Phase::Auth, "*\r\n");
}

BackEvent Pop3Back::say(Phase awaited, Secret bytes) {
  phase_ = awaited;
  return SendSecret{std::move(bytes)};
}

BackEvent Pop3Back::say_credentials(Phase awaited, Secret bytes) {
  setup_.password.clear();
  setup_.message.clear();
  credentials_sent_ = true;
  return say(awaited, std::move(bytes));
}

// --------------------------------------------------------------------------------------------- what we are
// told

std::optional<BackEvent> Pop3Back::read(std::string_view line) {
  if (phase_ == Phase::CapaLines) return read_capability(line);
  const bool challenge = line == "+" || line.starts_with("+ ");
  if (challenge && phase_ == Phase::Invited) {
    return say_credentials(Phase::Auth, command("", sasl_message().reveal()));
  }
  if (challenge && phase_ == Phase::Auth)
    return read_challenge(line.substr(std::min<std::size_t>(line.size(), 2)));
  const auto reply = pop3::parse_reply(line);
  if (!reply) return refuse(Fault::StoreProtocol);
  if (!reply->ok) return denied(*reply);
  return accepted(*reply);
}

std::optional<BackEvent> Pop3Back::accepted(const Reply& reply) {
  switch (phase_) {
    case Phase::Greeting:
      takes_xclient_ = reply.text.find("[XCLIENT]") != reply.text.npos;
      return begin();
    case Phase::Stls:
      phase_ = Phase::Handshake;
      return StartTls{};
    case Phase::Capa:
      phase_ = Phase::CapaLines;
      return std::nullopt;
    case Phase::Xclient:
      if (needs_list()) {
        phase_ = Phase::Capa;
        return std::nullopt;
      }
      if (!setup_.authorization.empty()) return say_auth();
      phase_ = Phase::User;
      return std::nullopt;
    case Phase::User:
      return say_credentials(Phase::Pass, command("PASS ", setup_.password.reveal()));
    case Phase::Pass:
    case Phase::Auth:
      if (gave_up_) return refuse(Fault::StoreProtocol);
      phase_ = Phase::LoggedIn;
      return LoggedIn{{.text = pop3::printable(reply.text), .untagged = {}, .capabilities = {}}};
    default:
      return refuse(Fault::StoreProtocol);
  }
}

BackEvent Pop3Back::denied(const Reply& reply) {
  switch (phase_) {
    case Phase::Greeting:
      return refuse(Fault::StoreUnavailable);
    case Phase::Stls:
      return refuse(Fault::StoreNoTls);
    case Phase::Capa:
      return end_of_capabilities();
    case Phase::Xclient:
      return refuse(Fault::StoreForward);
    // The password has not been said. What is refused is the way to log in.
    case Phase::User:
      if (is_kind_of(reply.code, "AUTH")) return refuse(Fault::StoreLoginDisabled);
      break;
    case Phase::Invited:
      if (reply.code.empty() || is_kind_of(reply.code, "AUTH")) return refuse(Fault::StoreLoginDisabled);
      break;
    default:
      break;
  }
  return refuse(read_refusal(reply));
}

std::optional<BackEvent> Pop3Back::read_capability(std::string_view line) {
  if (line == ".") return end_of_capabilities();
  if (line.starts_with('.')) line.remove_prefix(1);
  if (!capabilities_.empty()) capabilities_ += '\n';
  capabilities_ += pop3::printable(line);
  if (capabilities_.size() > kCapabilitiesMax) return refuse(Fault::StoreProtocol);
  return std::nullopt;
}

BackEvent Pop3Back::end_of_capabilities() {
  if (setup_.probe) return probed();
  const bool token = is_bearer(setup_.mechanism);
  if (pop3::lists_mechanism(capabilities_, sasl_name_of(token ? setup_.mechanism : Mechanism::Plain))) {
    return say_auth();
  }
  return token ? refuse(Fault::StoreLoginDisabled) : refuse_length();
}

std::optional<BackEvent> Pop3Back::read_challenge(std::string_view base64) {
  const auto message = decode_base64(base64);
  if (!is_bearer(setup_.mechanism) || gave_up_ || !message || ++challenges_ > kChallengesMax) {
    return refuse(Fault::StoreProtocol);
  }
  phase_ = Phase::Challenged;
  return Challenge{std::string(message->reveal())};
}

BackEvent Pop3Back::probed() {
  pending_ = Probed{};
  return say(Phase::Done, "QUIT\r\n");
}

BackEvent Pop3Back::refuse(Fault fault) { return refuse({.fault = fault, .code = {}, .text = {}}); }

BackEvent Pop3Back::refuse_length() {
  return refuse({.fault = Fault::LineTooLong, .code = "AUTH", .text = std::string(kTooLongForStore)});
}

BackEvent Pop3Back::refuse(Refusal refusal) {
  phase_ = Phase::Done;
  setup_.password.clear();
  setup_.message.clear();
  input_.clear();
  return Refused{std::move(refusal)};
}

}  // namespace postern
