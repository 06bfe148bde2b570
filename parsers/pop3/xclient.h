#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "parsers/dialogue.h"

// XCLIENT as Dovecot's POP3 proxy says it and its login service reads it: "XCLIENT ADDR=192.0.2.1 PORT=4321
// DESTADDR=.. DESTPORT=.. SESSION=.. TTL=.. CLIENT-TRANSPORT=TLS|insecure DESTNAME=..", fields in any order,
// separated by single spaces. It is not the XCLIENT of SMTP.

namespace postern::pop3 {

// The longest line that Dovecot reads, CRLF included.
inline constexpr std::size_t kXclientMax = 1024;

// Reads what stands behind "XCLIENT ". Fields that Postern does not use are passed over. nullopt: a field
// without '=', a field given twice, a value that is not of its kind, a port without its address, or no field.
std::optional<Forwarded> parse_xclient(std::string_view arguments);

// The whole line with CRLF. A field that is not known, or that a line can't carry, is left out. FORWARD= is
// what ClientIdentity::forward has, name=value each, TAB between them, base64 of all; \001, NUL, TAB, CR and
// LF in it are \001 and one of 10trn. A pair with a name of more than 20 bytes, none, or one with "=", or a
// value of more than 1024 is left out, and FORWARD= altogether when the line would be longer than
// kXclientMax.
std::string write_xclient(const ClientIdentity& client);

}  // namespace postern::pop3
