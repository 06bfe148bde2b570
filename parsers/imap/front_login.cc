#include <algorithm>
#include <cstdlib>
#include <utility>

#include "parsers/base64.h"
#include "parsers/imap/capability.h"
#include "parsers/imap/front.h"
#include "parsers/imap/reply.h"
#include "parsers/imap/text.h"
#include "parsers/offer.h"
#include "parsers/sasl.h"

namespace postern {
namespace {

// The store's text with a list of capabilities in it that fits a session that is logged in. Another response
// code of the store keeps its place; then the list goes before it, untagged.
struct Greeting {
  std::string untagged;
  std::string text;
};

Greeting greet(const StoreWelcome& welcome, bool asked_capability) {
  std::string text = without_controls(welcome.text);
  const std::string in_code = capabilities_in_code(text);
  const std::string list = capabilities_after_login(in_code.empty() ? welcome.capabilities : in_code);
  if (!in_code.empty()) {
    const auto [code, words] = split_code(text);
    text = list.empty() ? words : "[CAPABILITY " + list + "] " + words;
  }
  if (text.empty()) text = "Logged in.";

  Greeting greeting{.untagged = welcome.untagged, .text = std::move(text)};
  if (list.empty()) return greeting;
  const bool other_code = in_code.empty() && greeting.text.starts_with('[');
  if (asked_capability || other_code) {
    greeting.untagged += "* CAPABILITY " + list + "\r\n";
  } else if (in_code.empty()) {
    greeting.text = "[CAPABILITY " + list + "] " + greeting.text;
  }
  return greeting;
}

}  // namespace

void ImapFront::login(const ImapCommand& command) {
  if (!setup_.secure) return refuse_in_clear();
  if (!offers_passwords(setup_)) return refuse("NO LOGIN is not offered here.");
  const auto& arguments = command.arguments;
  if (arguments.size() != 2 || std::ranges::any_of(arguments, [](const ImapArgument& argument) {
        return argument.kind == ImapArgument::Kind::List;
      })) {
    return refuse("BAD LOGIN takes a user name and a password.");
  }
  Credentials credentials{.mechanism = Mechanism::Command,
                          .user = std::string(arguments[0].text.reveal()),
                          .authorization = {},
                          .password = arguments[1].text.clone()};
  if (const auto fault = check(credentials)) return refuse_credentials(*fault);
  exchange_.reset();
  request(std::move(credentials));
}

// RFC 9051 §6.2.2, with the initial response of RFC 4959.
void ImapFront::authenticate(const ImapCommand& command) {
  const auto& arguments = command.arguments;
  if (arguments.empty() || arguments.size() > 2 ||
      std::ranges::any_of(arguments, [](const ImapArgument& argument) {
        return argument.kind != ImapArgument::Kind::Atom;
      })) {
    return refuse("BAD AUTHENTICATE takes a mechanism and at most one initial response, both unquoted.");
  }
  const auto offer = find_offer(setup_, arguments[0].text.reveal());
  if (!offer) return refuse("NO This mechanism is not offered.");
  if (!setup_.secure) return refuse_in_clear();
  exchange_.emplace(*offer);
  challenged_ = false;
  if (arguments.size() == 1) return proceed(exchange_->begin());
  const std::string_view initial = arguments[1].text.reveal();
  take_response(initial == "=" ? std::string_view{} : initial);
}

void ImapFront::take_response(std::string_view base64) {
  phase_ = Phase::Command;
  if (base64 == "*") return cancel("BAD Authentication cancelled.");
  auto message = decode_base64(base64);
  if (!message) return cancel("BAD The response is not valid base64.");
  if (!challenged_) return proceed(exchange_->take(*message));
  phase_ = Phase::Login;
  events_.emplace_back(Response{*std::move(message)});
}

void ImapFront::proceed(SaslExchange::Step step) {
  if (const auto* ask = std::get_if<SaslExchange::Ask>(&step)) return await_response(ask->challenge);
  if (const auto* fault = std::get_if<CredentialsFault>(&step)) return refuse_credentials(*fault);
  request(std::get<Credentials>(std::move(step)));
}

void ImapFront::await_response(std::string_view challenge) {
  phase_ = Phase::Response;
  send(std::string("+ ").append(challenge).append("\r\n"));
}

void ImapFront::cancel(std::string_view status_and_text) {
  answer(status_and_text);
  if (challenged_) events_.emplace_back(Cancelled{});
  count_bad_command();
}

void ImapFront::request(Credentials credentials) {
  phase_ = Phase::Login;
  events_.emplace_back(LoginRequest{std::move(credentials)});
}

void ImapFront::refuse_credentials(CredentialsFault fault) {
  switch (fault) {
    case CredentialsFault::Malformed:
      return refuse("BAD The response does not have the mechanism's form.");
    case CredentialsFault::ControlCharacter:
      return refuse("BAD User name and password can't hold NUL, CR or LF.");
    case CredentialsFault::TooLong:
      return refuse("BAD The user name is too long.");
    case CredentialsFault::PasswordTooLong:
      return refuse("BAD The password is too long.");
    case CredentialsFault::EmptyUser:
    case CredentialsFault::EmptyPassword: {
      const FaultRow& row = describe(Fault::BadCredentials);
      return refuse(std::string("NO [").append(row.imap_code).append("] ").append(row.text));
    }
  }
}

// RFC 9051 §11.7: the same for right and wrong credentials.
void ImapFront::refuse_in_clear() { refuse("NO [PRIVACYREQUIRED] Not without TLS."); }

void ImapFront::accept(const StoreWelcome& welcome) {
  const Greeting greeting = greet(welcome, asked_capability_);
  send(greeting.untagged + tag_ + " OK " + greeting.text + "\r\n");
  phase_ = Phase::LoggedIn;
}

void ImapFront::challenge(std::string_view message) {
  if (phase_ != Phase::Login || !exchange_) std::abort();  // no login that has challenges is under way
  challenged_ = true;
  await_response(encode_base64(message).reveal());
}

void ImapFront::reject(const Refusal& refusal) {
  const FaultRow& row = describe(refusal.fault);
  const std::string code = without_controls(refusal.code.empty() ? row.imap_code : refusal.code);
  const std::string text = without_controls(refusal.text.empty() ? row.text : refusal.text);
  answer("NO " + (code.empty() ? "" : "[" + code + "] ") + text);
  phase_ = Phase::Command;
}

}  // namespace postern
