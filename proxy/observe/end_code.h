#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "proxy/observe/record.h"

namespace postern::observe {

template <class Letter>
struct EndRow {
  Letter letter;
  std::string_view word;     // value of a label in postern_sessions_closed_total
  std::string_view meaning;  // for the operator
};

inline constexpr std::array<EndRow<EndedBy>, 7> kEndedBy{{
    {EndedBy::Nobody, "nobody", "in good order"},
    {EndedBy::Client, "client", "the client closed or broke off"},
    {EndedBy::Store, "store", "the store closed, refused or broke off"},
    {EndedBy::Policy, "policy", "a limit or a rule of the configuration"},
    {EndedBy::Internal, "internal", "a fault of Postern: please report it"},
    {EndedBy::Killed, "killed", "an administrator, or the drain"},
    {EndedBy::ClientTimeout, "client_timeout", "waited for the client in vain"},
}};

inline constexpr std::array<EndRow<EndedIn>, 11> kEndedIn{{
    {EndedIn::Done, "done", "LOGOUT or QUIT was seen"},
    {EndedIn::ProxyHeader, "proxy_header", "waiting for the PROXY header"},
    {EndedIn::Tls, "tls", "in the TLS handshake with the client"},
    {EndedIn::Greeting, "greeting", "talking, but no credentials yet"},
    {EndedIn::Authenticate, "authenticate", "the client was sending its credentials"},
    {EndedIn::Lookup, "lookup", "finding out who the user is and which pool serves it"},
    {EndedIn::Queue, "queue", "in line for a free place at a backend"},
    {EndedIn::Connect, "connect", "connecting to the backend"},
    {EndedIn::StoreLogin, "store_login", "greeting, TLS or login at the backend"},
    {EndedIn::Data, "data", "logged in, moving bytes"},
    {EndedIn::Flush, "flush", "the last bytes were under way"},
}};

// Rows stand in the tables above for every enumerator.
template <class Letter, std::size_t N>
constexpr std::size_t row_of(const std::array<EndRow<Letter>, N>& rows, Letter letter) {
  std::size_t row = 0;
  while (row + 1 < N && rows[row].letter != letter) ++row;
  return row;
}
constexpr std::size_t index_of(EndedBy letter) { return row_of(kEndedBy, letter); }
constexpr std::size_t index_of(EndedIn letter) { return row_of(kEndedIn, letter); }

}  // namespace postern::observe
