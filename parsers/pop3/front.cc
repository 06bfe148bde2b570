#include "parsers/pop3/front.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "parsers/base64.h"
#include "parsers/offer.h"
#include "parsers/pop3/capa.h"
#include "parsers/pop3/keyword.h"
#include "parsers/pop3/reply.h"
#include "parsers/pop3/xclient.h"
#include "parsers/sasl.h"

namespace postern {

using pop3::same_keyword;
using pop3::split_keyword;
using pop3::write_error;
using pop3::write_ok;

namespace {

// Octets of a line without its CRLF. AUTH and its responses have FrontLimits::line.
constexpr std::size_t kCommandMax = 512 - 2;
constexpr std::size_t kXclientMax = pop3::kXclientMax - 2;

// The first octet of a TLS handshake record (RFC 8446 §5.1); no command begins with it.
constexpr char kTlsHandshake = 0x16;

constexpr std::string_view kAuthCode = "AUTH";

bool begins_with_keyword(std::string_view line, std::string_view keyword) {
  return line.size() > keyword.size() && line[keyword.size()] == ' ' &&
         same_keyword(line.substr(0, keyword.size()), keyword);
}

bool holds_control(const LineBuffer::Line& line) {
  return line.stray_cr || line.text.find('\0') != line.text.npos;
}

std::string greeting(const FrontSetup& setup) {
  std::string text = setup.invite_xclient ? "[XCLIENT] " : "";
  if (!setup.host_name.empty()) (text += setup.host_name) += ' ';
  return write_ok(text + "Postern ready.");
}

}  // namespace

const Pop3Front::Command Pop3Front::kCommands[] = {
    {"APOP", &Pop3Front::not_offered, true},  {"AUTH", &Pop3Front::auth, true},
    {"CAPA", &Pop3Front::capa, false},        {"DELE", &Pop3Front::before_login, true},
    {"LANG", &Pop3Front::not_offered, true},  {"LIST", &Pop3Front::before_login, true},
    {"NOOP", &Pop3Front::before_login, true}, {"PASS", &Pop3Front::pass, true},
    {"QUIT", &Pop3Front::quit, false},        {"RETR", &Pop3Front::before_login, true},
    {"RSET", &Pop3Front::before_login, true}, {"STAT", &Pop3Front::before_login, true},
    {"STLS", &Pop3Front::stls, false},        {"TOP", &Pop3Front::before_login, true},
    {"UIDL", &Pop3Front::before_login, true}, {"USER", &Pop3Front::user, true},
    {"UTF8", &Pop3Front::not_offered, true},  {"XCLIENT", &Pop3Front::xclient, true},
    {"XOIP", &Pop3Front::xoip, true},
};

Pop3Front::Pop3Front(FrontSetup setup)
    : setup_(std::move(setup)), shared_capabilities_(pop3::shared_capabilities(setup_.store_capabilities)) {
  pending_.emplace_back(Send{greeting(setup_)});
}

void Pop3Front::receive(std::string_view bytes) {
  // Clear text that comes when TLS was agreed on, and anything behind the end, is nobody's.
  if (phase_ != Phase::Handshake && phase_ != Phase::Closed) input_.append(bytes);
}

FrontEvent Pop3Front::next() {
  if (!pending_.empty()) {
    FrontEvent event = std::move(pending_.front());
    pending_.pop_front();
    return event;
  }
  if (phase_ != Phase::Command && phase_ != Phase::Sasl) return NeedData{};
  if (phase_ == Phase::Command && input_.peek().starts_with(kTlsHandshake)) {
    return close(Fault::ClientTls, write_error({}, "TLS does not begin here."));
  }
  const auto unit = input_.next_line(line_limit());
  if (std::holds_alternative<LineBuffer::TooLong>(unit)) {
    return close(Fault::LineTooLong, farewell(Fault::LineTooLong));
  }
  const auto* line = std::get_if<LineBuffer::Line>(&unit);
  if (!line) return NeedData{};
  return phase_ == Phase::Sasl ? respond(line->text) : command(*line);
}

void Pop3Front::secured() {
  phase_ = Phase::Command;
  setup_.secure = true;
  setup_.starttls = false;
  input_.clear();
  forwarded_ = {};
}

void Pop3Front::accept(const StoreWelcome& welcome) {
  phase_ = Phase::LoggedIn;
  pending_.emplace_back(Send{write_ok(welcome.text)});
}

void Pop3Front::reject(const Refusal& refusal) {
  phase_ = Phase::Command;
  const auto& row = describe(refusal.fault);
  pending_.emplace_back(Send{write_error(refusal.code.empty() ? row.pop3_code : refusal.code,
                                         refusal.text.empty() ? row.text : refusal.text)});
}

void Pop3Front::challenge(std::string_view message) {
  if (phase_ != Phase::Deciding || !exchange_) std::abort();  // no login that has challenges is under way
  challenged_ = true;
  pending_.emplace_back(await_response(encode_base64(message).reveal()));
}

std::string Pop3Front::farewell(Fault fault) const {
  const auto& row = describe(fault);
  return write_error(row.pop3_code, row.text);
}

FrontEvent Pop3Front::command(const LineBuffer::Line& line) {
  if (++commands_ > setup_.limits.commands) {
    return close(Fault::TooManyCommands, farewell(Fault::TooManyCommands));
  }
  const auto [keyword, argument] = split_keyword(line.text);
  const auto known =
      std::ranges::find_if(kCommands, [&](const Command& c) { return same_keyword(c.keyword, keyword); });
  // PASS is good directly behind USER alone.
  if (known == std::end(kCommands) || known->run != &Pop3Front::pass) user_.reset();
  if (known == std::end(kCommands)) return bad("Unknown command.");
  if (holds_control(line)) {
    user_.reset();
    const bool credentials = known->run == &Pop3Front::user || known->run == &Pop3Front::pass;
    return bad("A command can't hold NUL or CR.", credentials ? kAuthCode : "");
  }
  if (!known->takes_argument && argument.find_first_not_of(' ') != argument.npos) {
    return bad("This command has no argument.");
  }
  return (this->*known->run)(argument);
}

// ------------------------------------------------------------------------------------------------- commands

FrontEvent Pop3Front::user(std::string_view argument) {
  if (!takes_passwords()) return refuse_clear_text();
  if (argument.empty()) return bad("USER needs a name.");
  user_ = argument;
  return Send{write_ok("Send PASS.")};
}

FrontEvent Pop3Front::pass(std::string_view argument) {
  if (!takes_passwords()) return refuse_clear_text();
  if (!user_) return bad("PASS follows USER.");
  Credentials credentials{.mechanism = Mechanism::Command,
                          .user = *std::exchange(user_, std::nullopt),
                          .authorization = {},
                          .password = Secret(argument)};
  if (const auto fault = check(credentials)) return refuse(*fault);
  exchange_.reset();
  return request(std::move(credentials));
}

FrontEvent Pop3Front::auth(std::string_view argument) {
  const auto offers = mechanisms();
  if (offers.empty()) return refuse_clear_text();
  if (argument.empty()) {
    return Send{write_ok("Mechanisms follow.") + pop3::write_mechanisms(offers, "", "\r\n") + ".\r\n"};
  }
  const auto [name, initial] = split_keyword(argument);
  const auto offer = find_offer(setup_, name);
  if (!offer) return Send{write_error({}, "This mechanism is not offered.")};
  exchange_.emplace(*offer);
  challenged_ = false;
  if (initial.empty()) return proceed(exchange_->begin());
  return respond(initial == "=" ? std::string_view{} : initial);
}

FrontEvent Pop3Front::capa(std::string_view) {
  return Send{pop3::write_capa({.user = takes_passwords(),
                                .mechanisms = mechanisms(),
                                .stls = setup_.starttls,
                                .shared = shared_capabilities_})};
}

FrontEvent Pop3Front::stls(std::string_view) {
  if (!setup_.starttls) return bad(setup_.secure ? "TLS is active already." : "STLS is not offered.");
  phase_ = Phase::Handshake;
  input_.clear();
  pending_.emplace_back(StartTls{});
  return Send{write_ok("Begin TLS now.")};
}

FrontEvent Pop3Front::quit(std::string_view) { return close(Fault::None, write_ok("Goodbye.")); }

FrontEvent Pop3Front::xclient(std::string_view argument) {
  auto told = pop3::parse_xclient(argument);
  if (!told) {
    forwarded_.malformed = true;
    return bad("XCLIENT is malformed.");
  }
  told->malformed = forwarded_.malformed;
  forwarded_ = *std::move(told);
  return Send{write_ok("Updated.")};
}

FrontEvent Pop3Front::xoip(std::string_view argument) {
  const auto address = Address::parse(argument);
  if (!address) {
    forwarded_.malformed = true;
    return bad("XOIP needs an address.");
  }
  forwarded_.client = Endpoint{.address = *address, .port = 0};
  return Send{write_ok("Updated.")};
}

FrontEvent Pop3Front::not_offered(std::string_view) { return Send{write_error({}, "Not offered.")}; }

FrontEvent Pop3Front::before_login(std::string_view) { return bad("Not before login."); }

// ----------------------------------------------------------------------------------------------------- SASL

FrontEvent Pop3Front::respond(std::string_view line) {
  phase_ = Phase::Command;
  if (line == "*") return cancel("Authentication was cancelled.");
  auto message = decode_base64(line);
  if (!message) return cancel("This is not base64.");
  if (!challenged_) return proceed(exchange_->take(*message));
  phase_ = Phase::Deciding;
  return Response{*std::move(message)};
}

FrontEvent Pop3Front::proceed(SaslExchange::Step step) {
  if (const auto* ask = std::get_if<SaslExchange::Ask>(&step)) return await_response(ask->challenge);
  if (const auto* fault = std::get_if<CredentialsFault>(&step)) return refuse(*fault);
  return request(std::get<Credentials>(std::move(step)));
}

FrontEvent Pop3Front::await_response(std::string_view challenge) {
  phase_ = Phase::Sasl;
  return Send{("+ " + std::string(challenge)) + "\r\n"};
}

FrontEvent Pop3Front::cancel(std::string_view text) {
  FrontEvent told = bad(text);
  if (challenged_) pending_.emplace_front(Cancelled{});
  return told;
}

// ------------------------------------------------------------------------------------------------- outcomes

FrontEvent Pop3Front::request(Credentials credentials) {
  phase_ = Phase::Deciding;
  return LoginRequest{std::move(credentials)};
}

FrontEvent Pop3Front::refuse_clear_text() {
  if (setup_.secure) return bad("Passwords are not taken here.");
  return bad(setup_.starttls ? "TLS is needed before login: use STLS." : "TLS is needed before login.");
}

FrontEvent Pop3Front::refuse(CredentialsFault fault) {
  switch (fault) {
    case CredentialsFault::Malformed:
      return bad("This is not the mechanism's form.");
    case CredentialsFault::ControlCharacter:
      return bad("A name or password can't hold NUL, CR or LF.", kAuthCode);
    case CredentialsFault::EmptyUser:
      return bad("The user name is empty.", kAuthCode);
    case CredentialsFault::EmptyPassword:
      return bad("The password is empty.", kAuthCode);
    case CredentialsFault::TooLong:
      return bad("The user name is too long.", kAuthCode);
    case CredentialsFault::PasswordTooLong:
      return bad("The password is too long.", kAuthCode);
  }
  std::unreachable();
}

FrontEvent Pop3Front::bad(std::string_view text, std::string_view code) {
  if (++bad_commands_ >= setup_.limits.bad_commands) {
    return close(Fault::TooManyBadCommands, farewell(Fault::TooManyBadCommands));
  }
  return Send{write_error(code, text)};
}

FrontEvent Pop3Front::close(Fault fault, std::string words) {
  phase_ = Phase::Closed;
  input_.clear();
  pending_.emplace_back(Close{fault});
  return Send{std::move(words)};
}

bool Pop3Front::takes_passwords() const { return setup_.secure && offers_passwords(setup_); }

std::vector<Offer> Pop3Front::mechanisms() const {
  return setup_.secure ? offers_of(setup_) : std::vector<Offer>{};
}

std::size_t Pop3Front::line_limit() const {
  const auto begun = input_.peek();
  if (phase_ == Phase::Sasl || begins_with_keyword(begun, "AUTH")) return setup_.limits.line;
  return std::min(setup_.limits.line, begins_with_keyword(begun, "XCLIENT") ? kXclientMax : kCommandMax);
}

}  // namespace postern
