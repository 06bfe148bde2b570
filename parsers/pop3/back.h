#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/dialogue.h"
#include "parsers/line_buffer.h"
#include "parsers/pop3/reply.h"

namespace postern {

// POP3 towards the store: greeting, STLS (RFC 2595 §4), XCLIENT as Dovecot reads it, then USER and PASS
// (RFC 1939 §7), or AUTH (RFC 5034 §4): PLAIN for a master login, when CAPA (RFC 2449 §5) lists it PLAIN for
// a long password or a token's mechanism; or CAPA alone for a probe. README.md has what each refusal means.
class Pop3Back : public BackDialogue {
 public:
  explicit Pop3Back(BackSetup setup) : setup_(std::move(setup)) {}

  void receive(std::string_view bytes) override;
  BackEvent next() override;
  void secured() override;
  void respond(const Secret& message) override;
  void give_up() override;
  Refusal closed() override { return {.fault = Fault::StoreClosed, .code = {}, .text = {}}; }
  bool credentials_sent() const override { return credentials_sent_; }
  std::string capabilities() const override { return capabilities_; }
  std::string take_rest() override { return input_.take_rest(); }

  // Challenges to one login.
  static constexpr unsigned kChallengesMax = 8;

 private:
  // What is awaited: the answer to the command of that name, unless said otherwise.
  enum class Phase : std::uint8_t {
    Greeting,
    Stls,
    Handshake,  // secured()
    Ready,      // nothing: it is our turn
    Capa,
    CapaLines,
    Xclient,
    User,
    Pass,
    Invited,  // "+ ", to AUTH without an initial response
    Auth,
    Challenged,  // respond() or give_up()
    LoggedIn,    // take_rest()
    Done,
  };

  BackEvent begin();  // says what comes first after the greeting and TLS
  BackEvent log_in();
  bool commands_fit() const;  // USER and PASS
  bool needs_list() const;    // of CAPA, to log in
  BackEvent say_auth();
  Secret sasl_message() const;
  // nullopt: nothing to say or to tell yet.
  std::optional<BackEvent> read(std::string_view line);
  std::optional<BackEvent> read_capability(std::string_view line);
  BackEvent end_of_capabilities();
  std::optional<BackEvent> read_challenge(std::string_view base64);
  std::optional<BackEvent> accepted(const pop3::Reply& reply);
  BackEvent denied(const pop3::Reply& reply);

  BackEvent say(Phase awaited, Secret bytes);
  BackEvent say(Phase awaited, std::string_view bytes) { return say(awaited, Secret(bytes)); }
  BackEvent say_credentials(Phase awaited, Secret bytes);
  BackEvent refuse(Fault fault);
  BackEvent refuse(Refusal refusal);
  BackEvent refuse_length();
  BackEvent probed();

  BackSetup setup_;
  LineBuffer input_;
  Phase phase_ = Phase::Greeting;
  std::optional<BackEvent> pending_;  // given out before anything more is read
  std::string capabilities_;
  bool takes_xclient_ = false;
  bool credentials_sent_ = false;
  unsigned challenges_ = 0;
  bool gave_up_ = false;
};

}  // namespace postern
