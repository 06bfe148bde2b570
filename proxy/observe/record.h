#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/address.h"
#include "parsers/credentials.h"
#include "parsers/fault.h"
#include "parsers/protocol.h"
#include "proxy/time.h"

namespace postern::observe {

// The first letter of the end code: who ended the session, or why. HAProxy's letters with HAProxy's meaning.
enum class EndedBy : char {
  Nobody = '-',         // in good order
  Client = 'C',         // the client closed or broke off
  Store = 'S',          // the store closed, refused or broke off
  Policy = 'P',         // a limit or a rule of the configuration
  Internal = 'I',       // a fault of Postern
  Killed = 'K',         // an administrator, or the drain
  ClientTimeout = 'c',  // waited for the client in vain
};

// The second letter: the phase in which it ended.
enum class EndedIn : char {
  Done = '-',  // LOGOUT or QUIT was seen, before or after login
  ProxyHeader = 'P',
  Tls = 'T',
  Greeting = 'G',  // talking, no credentials yet
  Authenticate = 'A',
  Lookup = 'U',
  Queue = 'Q',
  Connect = 'C',
  StoreLogin = 'B',
  Data = 'D',
  Flush = 'L',  // the last bytes were under way
};

// What one log line tells about one session. A timer without a value: the phase was not reached.
struct SessionRecord {
  std::string_view listener;  // lives as long as the configuration that the session holds
  Protocol protocol = Protocol::Imap;
  std::string session;  // the id that the store is told too
  Endpoint client;      // from the PROXY header or a trusted proxy when there is one
  Endpoint peer;        // the other end of the socket
  Endpoint local;
  std::string_view tls_version;
  std::string_view tls_cipher;
  bool tls_resumed = false;
  std::string server_name;
  std::optional<Mechanism> mechanism;
  std::string user;  // escaped when it is written
  std::string_view pool;
  std::string_view backend;
  std::string_view how;   // how the backend was chosen: home, spill, least ...
  unsigned attempts = 0;  // refused logins
  unsigned retries = 0;   // backends that were tried because another had failed
  std::optional<Time::duration> handshake, dialogue, lookup, queue, connect, store_login, login, total;
  std::uint64_t bytes_in = 0;   // from the client after login
  std::uint64_t bytes_out = 0;  // to the client after login
  EndedBy ended_by = EndedBy::Nobody;
  EndedIn ended_in = EndedIn::Done;
  Fault fault = Fault::None;
  std::string detail;  // one sentence for the operator; no secret, no unchecked bytes
};

}  // namespace postern::observe
