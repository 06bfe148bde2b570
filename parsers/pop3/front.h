#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/dialogue.h"
#include "parsers/line_buffer.h"
#include "parsers/sasl_exchange.h"

namespace postern {

// POP3 towards the client, in its AUTHORIZATION state (RFC 1939 §4, §7; STLS: RFC 2595 §4; CAPA: RFC 2449 §5;
// AUTH: RFC 5034 §4). README.md has its commands, limits and choices.
class Pop3Front : public FrontDialogue {
 public:
  explicit Pop3Front(FrontSetup setup);

  void receive(std::string_view bytes) override;
  FrontEvent next() override;
  void secured() override;
  void withdraw(Mechanism mechanism) override { std::erase(setup_.mechanisms, mechanism); }
  void accept(const StoreWelcome& welcome) override;
  void reject(const Refusal& refusal) override;
  void challenge(std::string_view message) override;
  std::string take_rest() override { return input_.take_rest(); }
  std::string farewell(Fault fault) const override;
  const Forwarded& forwarded() const override { return forwarded_; }
  std::size_t buffered() const override { return input_.size(); }

 private:
  enum class Phase : std::uint8_t { Command, Sasl, Handshake, Deciding, LoggedIn, Closed };

  // What each command does; its line has a space behind the keyword when it has an argument.
  FrontEvent auth(std::string_view argument);
  FrontEvent capa(std::string_view argument);
  FrontEvent pass(std::string_view argument);
  FrontEvent quit(std::string_view argument);
  FrontEvent stls(std::string_view argument);
  FrontEvent user(std::string_view argument);
  FrontEvent xclient(std::string_view argument);
  FrontEvent xoip(std::string_view argument);
  FrontEvent not_offered(std::string_view argument);
  FrontEvent before_login(std::string_view argument);

  struct Command {
    std::string_view keyword;
    FrontEvent (Pop3Front::*run)(std::string_view argument);
    bool takes_argument;
  };
  static const Command kCommands[];

  FrontEvent command(const LineBuffer::Line& line);
  FrontEvent respond(std::string_view line);  // a line of AUTH
  FrontEvent proceed(SaslExchange::Step step);
  FrontEvent await_response(std::string_view challenge);  // in base64
  FrontEvent cancel(std::string_view text);
  FrontEvent request(Credentials credentials);
  FrontEvent refuse_clear_text();
  FrontEvent refuse(CredentialsFault fault);
  FrontEvent bad(std::string_view text, std::string_view code = {});  // counted, and at last closes
  FrontEvent close(Fault fault, std::string words);

  bool takes_passwords() const;           // USER and PASS
  std::vector<Offer> mechanisms() const;  // as long as they are offered
  std::size_t line_limit() const;

  FrontSetup setup_;
  std::string shared_capabilities_;
  LineBuffer input_;
  Phase phase_ = Phase::Command;
  std::deque<FrontEvent> pending_;        // given out before anything more is read
  std::optional<std::string> user_;       // of a USER in the line before
  std::optional<SaslExchange> exchange_;  // of the login that is under way, when it is SASL
  bool challenged_ = false;               // by the driver, so the next response is its
  Forwarded forwarded_;
  unsigned commands_ = 0;
  unsigned bad_commands_ = 0;
};

}  // namespace postern
