#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "parsers/address.h"
#include "parsers/credentials.h"
#include "parsers/fault.h"
#include "parsers/protocol.h"
#include "parsers/secret.h"

// The contract of the four dialogues: IMAP and POP3, towards the client (front: we are the server) and
// towards the store (back: we are the client). A dialogue turns bytes into events and answers into bytes. It
// knows no socket, clock, log or TLS, and never writes: what shall be written is a Send event.
//
//   receive(bytes)          hands over what arrived, in pieces of any size; nothing is interpreted yet
//   while (next() is not NeedData) ...   the driver does what each event says
//
// Events do not depend on how the bytes were cut into pieces. A dialogue stops reading at an event that the
// driver must answer (StartTls, Login); until then next() gives NeedData and the bytes behind stay put.

namespace postern {

// Both directions.
struct NeedData {
  bool operator==(const NeedData&) const = default;
};

// Begin the TLS handshake on this side: as the server in front, as the client at the back. In front the reply
// that announces it was a Send before this event. The driver calls secured() when the handshake has
// succeeded.
struct StartTls {
  bool operator==(const StartTls&) const = default;
};

// ---------------------------------------------------------------------------------------------------- front

// Bytes for the client; they never hold a secret, nor input that was not checked.
struct Send {
  std::string bytes;
  bool operator==(const Send&) const = default;
};

// The client wants to log in; the driver answers with accept() or reject(). Not comparable: it holds a
// secret.
struct LoginRequest {
  Credentials credentials;
};

// The client's answer to challenge(), decoded. Not comparable: it holds a secret.
struct Response {
  Secret message;
};

// The client gave up instead of answering challenge(), or its answer was not base64. It has been told; the
// driver forgets the login, and the dialogue goes on with the next command.
struct Cancelled {
  bool operator==(const Cancelled&) const = default;
};

// The session ends when everything sent before has been flushed. Fault::None: the client said LOGOUT or QUIT.
struct Close {
  Fault fault = Fault::None;
  bool operator==(const Close&) const = default;
};

using FrontEvent = std::variant<NeedData, Send, StartTls, LoginRequest, Response, Cancelled, Close>;

struct FrontLimits {
  std::size_t line = std::size_t{40} * 1024;    // one unfinished command, its literals included
  std::size_t literal = std::size_t{4} * 1024;  // one literal in it
  unsigned bad_commands = 3;                    // the last of these closes
  unsigned commands = 200;                      // good and bad ones; one more closes
};

struct FrontSetup {
  std::string host_name;  // in the greeting
  bool secure = false;    // TLS is up (implicit), or the listener's clear text is meant (loopback)
  bool starttls = false;  // STARTTLS or STLS is offered until TLS is up
  std::vector<Mechanism> mechanisms;  // which SASL mechanisms are offered; Command needs no entry: see below
  std::vector<std::string> relayed;   // mechanisms of an authentication service, offered as they are named
  std::string store_capabilities;     // what the pools' stores share: IMAP words separated by spaces, POP3
                                      // CAPA lines separated by LF; already without what only Postern decides
  FrontLimits limits;
  bool invite_xclient = false;  // POP3: the greeting says [XCLIENT], which Dovecot's proxy waits for; for
                                // peers in the listener's `trusted` networks
};
// IMAP LOGIN and POP3 USER/PASS are offered when Mechanism::Plain or Mechanism::Login is.

// What an inner proxy told about the client before login, by IMAP ID or POP3 XCLIENT, in Dovecot's fields.
// Believed only when the peer is in the listener's `trusted` networks; the driver decides that.
struct Forwarded {
  std::optional<Endpoint> client;     // x-originating-ip and -port, ADDR and PORT
  std::optional<Endpoint> connected;  // x-connected-ip and -port, DESTADDR and DESTPORT
  std::string session;                // x-session-id, SESSION; at most 64 bytes of printable ASCII
  std::string server_name;            // x-connected-name, DESTNAME
  std::optional<unsigned> hops_left;  // x-proxy-ttl, TTL
  bool malformed = false;             // a field of these was there and could not be read
  bool operator==(const Forwarded&) const = default;
};

// The store's answer to a good login, for the front dialogue of the same protocol.
struct StoreWelcome {
  std::string text;          // behind "OK " or "+OK ", response code included, without CRLF
  std::string untagged;      // IMAP: other untagged lines seen at login (ALERT ...), each with CRLF
  std::string capabilities;  // IMAP: the store's list after login, without "CAPABILITY "; empty: not told
  bool operator==(const StoreWelcome&) const = default;
};

class FrontDialogue {
 public:
  virtual ~FrontDialogue() = default;

  virtual void receive(std::string_view bytes) = 0;
  virtual FrontEvent next() = 0;

  // The handshake that StartTls asked for has succeeded. Everything that was received in clear text is gone.
  virtual void secured() = 0;

  // Of FrontSetup::mechanisms: the handshake has shown that this one cannot work.
  virtual void withdraw(Mechanism mechanism) = 0;

  // Answers to LoginRequest. accept(): the Sends that follow are the last; then the driver takes the rest.
  // reject(): the client may try again.
  virtual void accept(const StoreWelcome& welcome) = 0;
  virtual void reject(const Refusal& refusal) = 0;
  // Or, with every mechanism that is SASL: one more challenge (IMAP and POP3 "+ " and base64). The next
  // events are a Send, and when the client has answered Response or Cancelled; after Response the driver
  // answers the login again.
  virtual void challenge(std::string_view message) = 0;

  // After accept(): what the client pipelined behind its login, octet for octet.
  virtual std::string take_rest() = 0;

  // What to say when the driver ends the session before login: IMAP "* BYE [code] text", POP3 "-ERR [code]
  // text".
  virtual std::string farewell(Fault fault) const = 0;

  // IMAP: the parenthesised arguments of the client's first ID as quoted strings ("name" "x" ...), without
  // the fields that only proxies send; empty when there was none. Forwarded to the store.
  virtual std::string client_id() const { return {}; }
  virtual const Forwarded& forwarded() const = 0;

  // Bytes that are held now: the unfinished unit and what waits behind an unanswered event.
  virtual std::size_t buffered() const = 0;
};

std::unique_ptr<FrontDialogue> make_front(Protocol protocol, FrontSetup setup);

// ----------------------------------------------------------------------------------------------------- back

// Bytes for the store; they may hold a password.
struct SendSecret {
  Secret bytes;
};

// Logged in. The driver takes the rest and splices.
struct LoggedIn {
  StoreWelcome welcome;
  bool operator==(const LoggedIn&) const = default;
};

// Not logged in. This connection must not be used for another login. Fault::LineTooLong says nothing about
// the store: the credentials are longer than a store reads, and have not been sent.
struct Refused {
  Refusal refusal;
  bool operator==(const Refused&) const = default;
};

// The store sent a challenge in the middle of the login (a token that it refuses: RFC 7628 §3.2.3, and the
// same with XOAUTH2). The driver answers with respond() or give_up(); then comes Refused or, if the store
// wants it, another Challenge.
struct Challenge {
  std::string message;  // decoded
  bool operator==(const Challenge&) const = default;
};

// A probe has learnt what it wanted (BackSetup::probe); capabilities() is complete.
struct Probed {
  bool operator==(const Probed&) const = default;
};

using BackEvent = std::variant<NeedData, SendSecret, StartTls, LoggedIn, Refused, Challenge, Probed>;

// Who the client is, for the store's log and limits.
struct ClientIdentity {
  std::string session;  // Postern's session id
  Endpoint client;
  Endpoint connected;       // where the client connected to
  bool secure = false;      // the client's side is TLS
  std::string server_name;  // SNI; may be empty
  unsigned hops_left = 7;   // already decremented: this is what the store shall read
  std::string client_id;    // see FrontDialogue::client_id()
  // What an authentication service wants the store to know: x-forward-NAME, XCLIENT FORWARD=. Names of at
  // most 20 bytes, values of at most 1024 (facts: b.1.2, b.1.5).
  std::vector<std::pair<std::string, std::string>> forward{};
};

struct BackSetup {
  bool starttls = false;         // upgrade first; no credentials without it
  bool secure = false;           // TLS is up already (implicit)
  bool forward_id = false;       // IMAP: send ID x-... when the store offers ID
  bool forward_xclient = false;  // POP3: send XCLIENT when the store offers it
  bool probe = false;            // no login: greeting, TLS and capabilities, then Probed
  ClientIdentity client;

  // Command: the user and its password, by whatever the store offers. With an `authorization` (a master
  // login, whose user acts for it) SASL PLAIN is required. XOAuth2, OAuthBearer: `message` goes to the store
  // as it came from the client, and the store must offer the mechanism.
  Mechanism mechanism = Mechanism::Command;
  std::string user;
  std::string authorization;
  Secret password;
  Secret message;
};

class BackDialogue {
 public:
  virtual ~BackDialogue() = default;

  virtual void receive(std::string_view bytes) = 0;
  virtual BackEvent next() = 0;
  virtual void secured() = 0;

  // Answers to Challenge: what the client said, or that it gave up ("*", RFC 9051 §6.2.2, RFC 5034 §4).
  virtual void respond(const Secret& message) = 0;
  virtual void give_up() = 0;

  // The store closed the connection: what that means now (Fault::StoreClosed, or what a BYE before it said).
  virtual Refusal closed() = 0;

  // True once a byte of the password was handed out in a SendSecret: no other backend may be tried silently.
  virtual bool credentials_sent() const = 0;

  // What the store offers as far as it has told, before login: IMAP words separated by spaces; POP3 CAPA
  // lines separated by LF; empty also where it was not asked, as by most logins over POP3. Without TLS it is
  // what was said in clear text until secured().
  virtual std::string capabilities() const = 0;

  // After LoggedIn: what the store sent behind its answer.
  virtual std::string take_rest() = 0;
};

std::unique_ptr<BackDialogue> make_back(Protocol protocol, BackSetup setup);

}  // namespace postern
