#include <array>
#include <cstdlib>
#include <utility>

#include "parsers/base64.h"
#include "parsers/imap/back.h"
#include "parsers/imap/capability.h"
#include "parsers/imap/id.h"
#include "parsers/imap/text.h"
#include "parsers/sasl.h"

namespace postern {
namespace {

bool has_line_break_or_nul(std::string_view text) {
  return text.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos;
}

// At most, quoted or as a literal.
std::size_t written_size(std::string_view text) {
  constexpr std::size_t kMore = std::string_view("{1024+}\r\n").size() - std::string_view("\"\"").size();
  return quoted_size(text) + kMore;
}

struct CodeRow {
  std::string_view code;
  Fault fault;
  bool keep_words;  // code and text reach the client
};

constexpr std::array kCodes = {
    CodeRow{"", Fault::BadCredentials, false},
    CodeRow{"ALERT", Fault::BadCredentials, true},  // Dovecot, where its passdb gives a reason
    CodeRow{"AUTHENTICATIONFAILED", Fault::BadCredentials, false},
    CodeRow{"AUTHORIZATIONFAILED", Fault::NotAuthorized, true},
    CodeRow{"EXPIRED", Fault::PasswordExpired, true},
    CodeRow{"INUSE", Fault::UserLimit, true},
    CodeRow{"LIMIT", Fault::UserLimit, true},
    CodeRow{"REFERRAL", Fault::StoreUnavailable, false},  // never followed: it may point anywhere
    CodeRow{"SERVERBUG", Fault::StoreBug, false},
    CodeRow{"UNAVAILABLE", Fault::StoreUnavailable, true},
};

}  // namespace

Refusal refusal_of_login(std::string_view text) {
  auto [code, words] = split_code(text);
  const std::string_view name = std::string_view(code).substr(0, code.find(' '));
  for (const CodeRow& row : kCodes) {
    if (!equals_ignoring_case(row.code, name)) continue;
    if (!row.keep_words) return {row.fault, {}, {}};
    return {row.fault, std::move(code), std::move(words)};
  }
  return {Fault::StoreRefused, std::move(code), std::move(words)};
}

// One flight, as far as the store lets us: RFC 9051 §5.5.
void ImapBack::send_login() {
  const bool token = is_bearer(setup_.mechanism);
  if (!token && (has_line_break_or_nul(setup_.user) || has_line_break_or_nul(setup_.authorization) ||
                 has_line_break_or_nul(setup_.password.reveal()))) {
    return refuse(Fault::BadCredentials);
  }
  const bool needs_sasl =
      token || !setup_.authorization.empty() || has_capability(capabilities_, "LOGINDISABLED");
  const bool by_sasl = needs_sasl || !login_fits();
  const std::string_view mechanism = sasl_name_of(token ? setup_.mechanism : Mechanism::Plain);
  if (by_sasl && !has_capability(capabilities_, "AUTH=" + std::string(mechanism))) {
    return needs_sasl ? refuse(Fault::StoreLoginDisabled) : refuse_length();
  }
  Secret response;
  if (token) {
    response = encode_base64(setup_.message.reveal());
  } else if (by_sasl) {
    response =
        encode_base64(write_plain(setup_.authorization, setup_.user, setup_.password.reveal()).reveal());
  }
  if (response.size() > kStoreResponseMax) return refuse_length();

  pieces_.emplace_back();
  if (setup_.forward_id && has_capability(capabilities_, "ID")) {
    pieces_.back().bytes.append("I ID " + write_id(setup_.client) + "\r\n");
    awaits_id_ = true;
  }
  if (by_sasl) {
    add_authenticate(mechanism, response.reveal());
  } else {
    add_login_command();
  }
  setup_.password.clear();
  setup_.message.clear();
  phase_ = Phase::Login;
  send_piece();
}

bool ImapBack::login_fits() const {
  constexpr std::size_t kWords = std::string_view("L LOGIN  \r\n").size();
  return kWords + written_size(setup_.user) + written_size(setup_.password.reveal()) <= kStoreCommandMax;
}

void ImapBack::refuse_length() {
  refuse({.fault = Fault::LineTooLong, .code = {}, .text = std::string(kTooLongForStore)});
}

void ImapBack::send_piece() {
  Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  credentials_sent_ = credentials_sent_ || piece.has_credentials;
  say(std::move(piece.bytes));
}

void ImapBack::add_login_command() {
  pieces_.back().bytes.append("L LOGIN ");
  add_string(setup_.user, false);
  pieces_.back().bytes.append(" ");
  add_string(setup_.password.reveal(), true);
  pieces_.back().bytes.append("\r\n");
}

// Quoted when every server can read it so, else a literal that waits only where it must (RFC 7888: LITERAL-
// takes as much as 4096 octets without waiting, and kStoreCommandMax is less).
void ImapBack::add_string(std::string_view text, bool is_password) {
  if (fits_quoted(text)) {
    append_quoted(pieces_.back().bytes, text);
  } else {
    const bool waits =
        !has_capability(capabilities_, "LITERAL+") && !has_capability(capabilities_, "LITERAL-");
    pieces_.back().bytes.append("{" + std::to_string(text.size()) + (waits ? "}\r\n" : "+}\r\n"));
    if (waits) pieces_.emplace_back();
    pieces_.back().bytes.append(text);
  }
  pieces_.back().has_credentials = is_password;
}

void ImapBack::add_authenticate(std::string_view mechanism, std::string_view response) {
  pieces_.back().bytes.append("L AUTHENTICATE ");
  pieces_.back().bytes.append(mechanism);
  if (has_capability(capabilities_, "SASL-IR")) {
    pieces_.back().bytes.append(response.empty() ? " =" : " ");
  } else {
    pieces_.back().bytes.append("\r\n");
    pieces_.emplace_back();
  }
  pieces_.back().bytes.append(response);
  pieces_.back().bytes.append("\r\n");
  pieces_.back().has_credentials = true;
}

void ImapBack::take_challenge(const ImapReply& reply) {
  const auto message = decode_base64(reply.text);
  if (!is_bearer(setup_.mechanism) || awaits_id_ || gave_up_ || !message || ++challenges_ > kChallengesMax) {
    return refuse(Fault::StoreProtocol);
  }
  phase_ = Phase::Challenged;
  events_.emplace_back(Challenge{std::string(message->reveal())});
}

void ImapBack::respond(const Secret& message) {
  if (phase_ != Phase::Challenged) std::abort();
  Secret line = encode_base64(message.reveal());
  if (line.size() > kStoreResponseMax) return refuse_length();
  line.append("\r\n");
  phase_ = Phase::Login;
  say(std::move(line));
}

void ImapBack::give_up() {
  if (phase_ != Phase::Challenged) std::abort();
  gave_up_ = true;
  phase_ = Phase::Login;
  say("*\r\n");
}

void ImapBack::take_login_result(const ImapReply& reply) {
  if (reply.is("NO")) return refuse(refusal_of_login(reply.text));
  // Behind a challenge BAD is the answer to "*" (RFC 9051 §6.2.2), or to what the client said.
  if (reply.is("BAD")) return refuse(challenges_ > 0 ? Fault::BadCredentials : Fault::StoreBug);
  // OK before all of it was sent, or to "*".
  if (!pieces_.empty() || gave_up_) return refuse(Fault::StoreProtocol);
  welcome_.text = reply.text;
  if (auto list = capabilities_in_code(reply.text); !list.empty()) welcome_.capabilities = std::move(list);
  if (welcome_.capabilities.size() > kCapabilitiesMax) return refuse(Fault::StoreProtocol);
  if (!welcome_.capabilities.empty()) return finish_login();
  phase_ = Phase::LoggedInCapability;
  say("C CAPABILITY\r\n");
}

void ImapBack::finish_login() {
  phase_ = Phase::LoggedIn;
  events_.emplace_back(LoggedIn{std::move(welcome_)});
}

}  // namespace postern
