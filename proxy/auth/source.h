#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/model.h"
#include "parsers/address.h"
#include "parsers/credentials.h"
#include "parsers/fault.h"
#include "parsers/protocol.h"
#include "parsers/secret.h"
#include "proxy/net/reactor.h"
#include "proxy/time.h"

// The sources of identity: who decides whether the credentials are right, where it is not the store. Each
// worker has its own object of the source that the configuration names; everything in it happens on the
// worker's loop.

namespace postern::tls {
struct PeerCertificate;
}

namespace postern::auth {

// One login, as a source is asked about it. The views live during ask() alone.
struct Question {
  net::AnswerTicket ticket;
  Protocol protocol = Protocol::Imap;
  const Credentials* credentials = nullptr;
  unsigned attempt = 1;  // of this session
  std::string_view session;
  Endpoint client;               // from a PROXY header or a trusted proxy when there is one
  Endpoint local;                // where the client connected to; as above
  Endpoint peer;                 // the other end of our socket
  Endpoint socket;               // our end of it
  bool by_proxy_header = false;  // client and local came with a PROXY header
  bool secure = false;           // TLS with the client
  std::string_view tls_version;
  std::string_view tls_cipher;
  std::string_view server_name;
  std::string_view client_id;                         // FrontDialogue::client_id()
  const tls::PeerCertificate* certificate = nullptr;  // the client's, verified; null: none
};

// What a source tells of a user whom it lets in. Empty: it does not say.
struct Destination {
  std::string user;     // the name that counts from now on: for routes, limits, log and store
  std::string pool;     // of the configuration
  std::string backend;  // of that pool
  std::string host;     // a store that may be in no pool: a name or an address
  std::uint16_t port = 0;
  std::optional<conf::StoreTls> tls;                         // to `host`
  std::optional<bool> verify;                                // its certificate
  std::string store_user;                                    // the name for the store alone
  std::string master;                                        // logs in on behalf of store_user (or user)
  Secret password;                                           // for the store; empty: the client's own
  std::optional<Duration> timeout;                           // from connect to the answer to the login
  std::vector<std::pair<std::string, std::string>> forward;  // see ClientIdentity::forward
};

struct Answer {
  enum class Kind : std::uint8_t {
    Accepted,
    Refused,
    Challenge,  // the client shall answer `challenge`; then comes respond() or cancel()
  };
  net::AnswerTicket ticket;
  Kind kind = Kind::Refused;
  Refusal refusal{.fault = Fault::AuthUnavailable, .code = {}, .text = {}};
  std::string challenge;    // decoded; with Refused: what the client is told before it (RFC 7628 §3.2.3)
  Destination destination;  // Accepted. Refused: `user` alone, of whom the client's own words did not name
  Duration wait{0};         // Accepted: hold the login so long. Refused: let the client wait at least so long
  bool close = false;       // Refused: and end the session
  std::string detail;       // for the log: one sentence, no secret, no unchecked bytes
};

class Source {
 public:
  // Called from the loop, never from within a member of the source; once for every Challenge and once at the
  // end of each question that was not cancelled. Every question ends within the source's own timeout.
  using Deliver = std::function<void(Answer)>;

  virtual ~Source() = default;

  // False: as many questions are under way as may be; there will be no answer.
  virtual bool ask(const Question& question) = 0;

  // The client's answer to a Challenge.
  virtual void respond(net::AnswerTicket ticket, Secret message) = 0;

  // Nobody waits for the answer any more; no Deliver comes for this ticket.
  virtual void cancel(net::AnswerTicket ticket) = 0;

  // SASL mechanisms beside PLAIN, LOGIN and tokens that can be relayed just now, in capitals.
  virtual std::vector<std::string> mechanisms() const { return {}; }
};

}  // namespace postern::auth
