#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern {

// Why a login was refused, or a session ended before its time. Each row of the table in fault.cc says who is
// to blame and which words the client reads; `name` is the value in logs and metrics.
enum class Fault : std::uint8_t {
  None,
  // The user's: said to the client as a refusal of credentials.
  BadCredentials,   // the store or the password file said no
  NotAuthorized,    // may not act as the identity that was asked for
  PasswordExpired,  // the store said [EXPIRED]
  NoRoute,          // no [[route]] matches this user; the client reads the same as for BadCredentials
  AccountDisabled,  // the source knows the user and lets nobody in: disabled, nologin
  PolicyRefused,    // the policy service said no; the client reads the same as for BadCredentials
  UserLimit,        // too many sessions of this user, here or at the store
  StoreRefused,     // the store refused with a code of its own, which is passed on
  // The store's: said to the client as temporary, and another backend may be tried before that.
  NoBackend,      // every backend of the pool is down, ejected or full
  NameNotFound,   // DNS had no address for the backend
  ConnectFailed,  // refused, unreachable, out of local ports
  ConnectTimeout,
  StoreClosed,       // closed or reset before it answered the login
  StoreTimeout,      // no answer to the login in time
  StoreProtocol,     // answered something that is not IMAP or POP3
  StoreUnavailable,  // said [UNAVAILABLE], [SYS/TEMP] or BYE itself
  StoreTls,          // TLS handshake or certificate check failed
  // The configuration's: another try will not help.
  StoreNoTls,          // STARTTLS or STLS is required and not offered, or refused
  StoreLoginDisabled,  // LOGINDISABLED, or no mechanism in common
  MasterRefused,       // the store refused the master's password, or the source's: the client's own was right
  StoreForward,        // XCLIENT was refused
  StoreBug,            // said [SERVERBUG], or BAD to a login
  Loop,                // the hop count ran out, or the backend is one of our own listeners
  // Authentication by Postern itself.
  AuthUnavailable,    // the source of identities could not answer, or its queue is full
  AuthProtocol,       // it answered something that is not its protocol
  LookupUnavailable,  // a map could not be asked, and there is no last known good answer
  LookupInvalid,      // a map or a source names a pool or a backend that is not there
  HostNotAllowed,     // a source names a host outside [auth] allowed_hosts
  NoStorePassword,    // login = "user", and neither the client nor the source gave a password for the store
  // The client's behaviour before login.
  TooManyAttempts,
  TooManyBadCommands,
  TooManyCommands,
  LineTooLong,
  LiteralTooLong,
  LoginTimeout,  // login_time is over
  ClientClosed,  // closed or reset before it was logged in
  ClientTls,     // the handshake with the client failed
  ProxyHeader,   // PROXY header missing, malformed or not allowed
  AddressLimit,  // sessions_per_address or prelogin_per_address
  // After login.
  IdleTimeout,
  ClientReset,  // the client's connection broke (reset, vanished, truncated TLS)
  StoreReset,   // the store's connection broke
  // Postern itself.
  ShuttingDown,
  Exhausted,  // descriptors, ports or memory; or time, where newcomers stand in line
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::Exhausted) + 1;

// Source: what Postern asks about users, as a map or an authentication service.
enum class Blame : std::uint8_t { Nobody, Client, Credentials, Store, Configuration, Source, Postern };

struct FaultRow {
  Fault fault;
  std::string_view name;  // snake_case
  Blame blame;
  bool other_backend_may_help;  // before credentials were sent, the next backend is tried
  std::string_view imap_code;   // "UNAVAILABLE"; empty: none
  std::string_view pop3_code;   // "SYS/TEMP"; empty: none
  std::string_view text;        // for the client; ends with a full stop
};

const FaultRow& describe(Fault fault);
std::string_view name_of(Fault fault);
std::string_view name_of(Blame blame);

// A refused login as the client shall read it. Code and text are the store's own where it gave any that may
// be passed on; where they are empty, the front dialogue uses the table's.
struct Refusal {
  Fault fault = Fault::None;
  std::string code;
  std::string text;

  bool operator==(const Refusal&) const = default;
};

}  // namespace postern
