#include "parsers/fault.h"

#include <array>

namespace postern {

namespace {

// One text for everything that is not the user's fault, and one for everything that is about who the user is:
// neither tells an attacker which part failed, and mail programs show the first as an outage.
constexpr std::string_view kUnavailable = "Account is temporarily unavailable.";
constexpr std::string_view kAuthentication = "Authentication failed.";

constexpr FaultRow temporary(Fault fault, std::string_view name, Blame blame, bool other_backend) {
  return {fault, name, blame, other_backend, "UNAVAILABLE", "SYS/TEMP", kUnavailable};
}

constexpr FaultRow misconfigured(Fault fault, std::string_view name) {
  return {fault, name, Blame::Configuration, false, "SERVERBUG", "SYS/PERM", kUnavailable};
}

constexpr FaultRow refused(Fault fault, std::string_view name, std::string_view imap_code,
                           std::string_view text) {
  return {fault, name, Blame::Credentials, false, imap_code, "AUTH", text};
}

constexpr FaultRow client(Fault fault, std::string_view name, std::string_view imap_code,
                          std::string_view pop3_code, std::string_view text) {
  return {fault, name, Blame::Client, false, imap_code, pop3_code, text};
}

using enum Fault;

constexpr std::array<FaultRow, kFaults> kTable{{
    {None, "none", Blame::Nobody, false, "", "", "Logging out."},

    refused(BadCredentials, "bad_credentials", "AUTHENTICATIONFAILED", kAuthentication),
    refused(NotAuthorized, "not_authorized", "AUTHORIZATIONFAILED", "Authorization failed."),
    refused(PasswordExpired, "password_expired", "EXPIRED", "The password has expired."),
    refused(NoRoute, "no_route", "AUTHENTICATIONFAILED", kAuthentication),
    refused(AccountDisabled, "account_disabled", "CONTACTADMIN", "This account is disabled."),
    refused(PolicyRefused, "policy_refused", "AUTHENTICATIONFAILED", kAuthentication),
    client(UserLimit, "user_limit", "LIMIT", "IN-USE", "Too many sessions of this user."),
    client(StoreRefused, "store_refused", "CONTACTADMIN", "SYS/PERM", "The mail store refused the login."),

    temporary(NoBackend, "no_backend", Blame::Store, false),
    temporary(NameNotFound, "name_not_found", Blame::Store, true),
    temporary(ConnectFailed, "connect_failed", Blame::Store, true),
    temporary(ConnectTimeout, "connect_timeout", Blame::Store, true),
    temporary(StoreClosed, "store_closed", Blame::Store, true),
    temporary(StoreTimeout, "store_timeout", Blame::Store, true),
    temporary(StoreProtocol, "store_protocol", Blame::Store, true),
    temporary(StoreUnavailable, "store_unavailable", Blame::Store, true),
    temporary(StoreTls, "store_tls", Blame::Store, true),

    misconfigured(StoreNoTls, "store_no_tls"),
    misconfigured(StoreLoginDisabled, "store_login_disabled"),
    misconfigured(MasterRefused, "master_refused"),
    misconfigured(StoreForward, "store_forward"),
    misconfigured(StoreBug, "store_bug"),
    misconfigured(Loop, "loop"),

    temporary(AuthUnavailable, "auth_unavailable", Blame::Source, false),
    temporary(AuthProtocol, "auth_protocol", Blame::Source, false),
    temporary(LookupUnavailable, "lookup_unavailable", Blame::Source, false),
    misconfigured(LookupInvalid, "lookup_invalid"),
    misconfigured(HostNotAllowed, "host_not_allowed"),
    misconfigured(NoStorePassword, "no_store_password"),

    client(TooManyAttempts, "too_many_attempts", "", "AUTH", "Too many failed logins."),
    client(TooManyBadCommands, "too_many_bad_commands", "", "", "Too many bad commands."),
    client(TooManyCommands, "too_many_commands", "", "", "Too many commands before login."),
    client(LineTooLong, "line_too_long", "", "", "The command is too long."),
    client(LiteralTooLong, "literal_too_long", "TOOBIG", "", "The literal is too long."),
    client(LoginTimeout, "login_timeout", "", "", "No login in time."),
    client(ClientClosed, "client_closed", "", "", "The connection was closed."),
    client(ClientTls, "client_tls", "", "", "The TLS handshake failed."),
    client(ProxyHeader, "proxy_header", "", "", "A PROXY header was expected."),
    client(AddressLimit, "address_limit", "LIMIT", "SYS/TEMP", "Too many connections from this address."),

    client(IdleTimeout, "idle_timeout", "", "", "Idle for too long."),
    client(ClientReset, "client_reset", "", "", "The connection was lost."),
    {StoreReset, "store_reset", Blame::Store, false, "UNAVAILABLE", "SYS/TEMP",
     "The connection to the mail store was lost."},

    {ShuttingDown, "shutting_down", Blame::Postern, false, "UNAVAILABLE", "SYS/TEMP",
     "The server is shutting down."},
    temporary(Exhausted, "exhausted", Blame::Postern, false),
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].fault != static_cast<Fault>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "a row of the table is missing or out of order");

}  // namespace

const FaultRow& describe(Fault fault) { return kTable[static_cast<std::size_t>(fault)]; }

std::string_view name_of(Fault fault) { return describe(fault).name; }

std::string_view name_of(Blame blame) {
  switch (blame) {
    case Blame::Nobody:
      return "nobody";
    case Blame::Client:
      return "client";
    case Blame::Credentials:
      return "credentials";
    case Blame::Store:
      return "store";
    case Blame::Configuration:
      return "configuration";
    case Blame::Source:
      return "source";
    case Blame::Postern:
      return "postern";
  }
  return "";
}

}  // namespace postern
