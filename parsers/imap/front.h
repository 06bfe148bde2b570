#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/dialogue.h"
#include "parsers/imap/lexer.h"
#include "parsers/line_buffer.h"
#include "parsers/sasl_exchange.h"

namespace postern {

// IMAP towards the client, up to the login (RFC 9051 §3.1; RFC 3501 where a client of IMAP4rev1 sees it).
// README.md tells what it answers where the standard leaves a choice.
class ImapFront final : public FrontDialogue {
 public:
  explicit ImapFront(FrontSetup setup);

  void receive(std::string_view bytes) override;
  FrontEvent next() override;
  void secured() override;
  void withdraw(Mechanism mechanism) override { std::erase(setup_.mechanisms, mechanism); }
  void accept(const StoreWelcome& welcome) override;
  void reject(const Refusal& refusal) override;
  void challenge(std::string_view message) override;
  std::string take_rest() override { return buffer_.take_rest(); }
  std::string farewell(Fault fault) const override;
  std::string client_id() const override { return client_id_; }
  const Forwarded& forwarded() const override { return forwarded_; }
  std::size_t buffered() const override { return buffer_.size() + lexer_.held(); }

 private:
  enum class Phase : std::uint8_t {
    Command,   // reading a command
    Response,  // reading a line of AUTHENTICATE
    Tls,       // the driver shakes hands
    Login,     // the driver asks the store
    LoggedIn,  // what is buffered is the store's
    Closed,
  };
  // front.cc: the commands and their answers. Each reads at most one command or line; false: more is needed.
  bool read_command();
  bool read_response();
  void run(const ImapCommand& command);
  void capability(const ImapCommand& command);
  void noop(const ImapCommand& command);
  void logout(const ImapCommand& command);
  void id(const ImapCommand& command);
  void starttls(const ImapCommand& command);
  void send(std::string bytes) { events_.emplace_back(Send{std::move(bytes)}); }
  void answer(std::string_view status_and_text);
  void refuse(std::string_view status_and_text);  // counts towards FrontLimits::bad_commands
  void count_bad_command();
  void close(Fault fault);
  void end(std::string last_words, Fault fault);
  bool without_arguments(const ImapCommand& command);
  std::string capabilities() const;

  // front_login.cc: credentials and what becomes of them.
  void login(const ImapCommand& command);
  void authenticate(const ImapCommand& command);
  void take_response(std::string_view base64);
  void proceed(SaslExchange::Step step);
  void await_response(std::string_view challenge);  // in base64
  void cancel(std::string_view status_and_text);
  void request(Credentials credentials);
  void refuse_credentials(CredentialsFault fault);
  void refuse_in_clear();

  FrontSetup setup_;
  LineBuffer buffer_;
  ImapLexer lexer_;
  std::deque<FrontEvent> events_;
  Phase phase_ = Phase::Command;
  std::string tag_;  // of the command that is being answered; "*" when it had none
  unsigned commands_ = 0;
  unsigned bad_commands_ = 0;

  std::optional<SaslExchange> exchange_;  // of the login that is under way, when it is SASL
  bool challenged_ = false;               // by the driver, so the next response is its

  bool asked_capability_ = false;
  bool got_id_ = false;
  std::string client_id_;
  Forwarded forwarded_;
};

}  // namespace postern
