#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "parsers/dialogue.h"
#include "parsers/imap/lexer.h"

// The ID command (RFC 2971), and the fields by which Dovecot's proxies tell a store about the client.

namespace postern {

struct ImapId {
  // The client's own fields, quoted and without parentheses: "name" "x" "version" NIL. Left out: the fields
  // of proxies, pairs with octets that a quoted string can't carry to every store (eight bits, CR, LF), pairs
  // with a string above 1026 octets as it is quoted, which Dovecot does not read, and pairs that would make
  // it longer than kClientMax: a store's limit of a line must not end the login.
  std::string client;
  static constexpr std::size_t kClientMax = 2048;
  Forwarded forwarded;  // the proxies' fields
};

// Reads the arguments of ID. The error is a constant for the client: more than 30 pairs (the proxies' fields
// not counted), a field of more than 30 octets or a value of more than 1024, a field twice, or another form
// than RFC 2971 §3.1 has.
std::expected<ImapId, std::string_view> parse_id(const ImapCommand& command);

// The arguments of ID towards a store, parentheses included; at most 30 pairs (RFC 2971 §3.3), and where
// there are more the last of the client's are left out, then the last of ClientIdentity::forward. Left out of
// `forward` is also what is empty or too long in its name (20 bytes), a name that was there before, what a
// quoted string can't carry, a value above 1026 bytes as it is quoted, and what would make all of these
// together longer than kForwardMax.
inline constexpr std::size_t kForwardMax = std::size_t{4} * 1024;
std::string write_id(const ClientIdentity& identity);

}  // namespace postern
