#pragma once

#include <expected>
#include <string_view>

#include "parsers/credentials.h"
#include "parsers/sasl.h"

// Bearer tokens in SASL. The messages come decoded; the credentials have passed check(), and hold the whole
// message, because a store is given what the client sent.

namespace postern {

// XOAUTH2, as Google and Microsoft define it: user=NAME ^A auth=Bearer TOKEN ^A ^A.
std::expected<Credentials, CredentialsFault> parse_xoauth2(std::string_view message);

// OAUTHBEARER (RFC 7628 §3.1): a GS2 header (RFC 5801 §4) with or without a user, then key=value ^A for each
// key, of which `auth` must be there once and the others are not looked at, then ^A. Malformed: channel
// binding, which the mechanism does not have, or another scheme than Bearer. An `auth` without a value, by
// which a client may ask for the place to get a token (§4.3), is EmptyPassword.
std::expected<Credentials, CredentialsFault> parse_oauthbearer(std::string_view message);

}  // namespace postern
