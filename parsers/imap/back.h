#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/dialogue.h"
#include "parsers/imap/reply.h"
#include "parsers/line_buffer.h"

namespace postern {

// IMAP towards the store, up to the login (RFC 9051 §6.2; RFC 2971 for ID). It uses the tags S (STARTTLS),
// C (CAPABILITY), I (ID), L (LOGIN or AUTHENTICATE) and Z (LOGOUT); ID and login go out in one flight.
// README.md tells how the store's answers become faults.
class ImapBack final : public BackDialogue {
 public:
  explicit ImapBack(BackSetup setup) : setup_(std::move(setup)) {}

  void receive(std::string_view bytes) override;
  BackEvent next() override;
  void secured() override;
  void respond(const Secret& message) override;
  void give_up() override;
  Refusal closed() override;
  bool credentials_sent() const override { return credentials_sent_; }
  std::string capabilities() const override { return capabilities_; }
  std::string take_rest() override { return buffer_.take_rest(); }

  // All untagged replies together that a store may send before the login has succeeded.
  static constexpr std::size_t kUntaggedMax = std::size_t{64} * 1024;
  // One list of capabilities, wherever it stands.
  static constexpr std::size_t kCapabilitiesMax = std::size_t{8} * 1024;
  // Challenges to one login.
  static constexpr unsigned kChallengesMax = 8;

 private:
  enum class Phase : std::uint8_t {
    Greeting,
    Capability,          // C is out, before login
    StartTls,            // S is out
    Tls,                 // the driver shakes hands
    Login,               // I (perhaps) and L are out
    Challenged,          // the driver has what the store asks
    LoggedInCapability,  // C is out, after login
    LoggedIn,            // what is buffered is the client's
    Done,
  };
  // A part of the login that waits for the store's "+" in front of it.
  struct Piece {
    Secret bytes;
    bool has_credentials = false;
  };

  void take(const ImapReply& reply);
  void take_greeting(const ImapReply& reply);
  void take_untagged(const ImapReply& reply);
  void take_tagged(const ImapReply& reply);
  void proceed();  // says what comes next, when nothing is out
  void say(std::string_view bytes) { say(Secret(bytes)); }
  void say(Secret bytes);
  void refuse(Refusal refusal);
  void refuse(Fault fault) { refuse(Refusal{.fault = fault, .code = {}, .text = {}}); }

  // back_login.cc
  void send_login();
  bool login_fits() const;
  void refuse_length();
  void send_piece();
  void add_login_command();
  void add_authenticate(std::string_view mechanism, std::string_view response);  // in base64
  void add_string(std::string_view text, bool is_password);
  void take_challenge(const ImapReply& reply);
  void take_login_result(const ImapReply& reply);
  void finish_login();

  BackSetup setup_;
  LineBuffer buffer_;
  ImapReplyReader reader_;
  std::deque<BackEvent> events_;
  Phase phase_ = Phase::Greeting;

  bool tls_ = false;               // by STARTTLS
  bool asked_capability_ = false;  // on this layer, before login
  std::string capabilities_;       // before login
  std::size_t untagged_size_ = 0;
  std::size_t early_ = 0;  // bytes in the buffer that came before the last command was said
  std::optional<Refusal> bye_;

  std::deque<Piece> pieces_;
  bool awaits_id_ = false;
  bool credentials_sent_ = false;
  unsigned challenges_ = 0;
  bool gave_up_ = false;
  StoreWelcome welcome_;  // what has come of it so far
};

// What a tagged NO to the login means (README.md has the table).
Refusal refusal_of_login(std::string_view text);

}  // namespace postern
