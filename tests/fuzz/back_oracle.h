#pragma once

#include <cstddef>
#include <cstdint>

#include "parsers/protocol.h"

namespace postern::fuzz {

// Plays a back dialogue with an input from the fuzzer. What must hold for every store:
//
//  - How its bytes are cut into pieces changes neither what it reads nor what the driver is told, but for one
//    thing: an IMAP store that answers before it was asked may be refused where that shows.
//  - What it reads is bounded, whatever it sends, and no CR or LF stands in it alone.
//  - credentials_sent() is true as soon as the password has left, as it is or in base64, or the token; with
//    STARTTLS demanded that is never before secured().
//  - Only a token is challenged, behind it and not for ever. While the answer is awaited nothing is read.
//  - After LoggedIn, Refused and Probed there is no event, whatever comes.
//  - What is handed on to the client (welcome, code, text) can't break its line.
//  - After LoggedIn the rest is the end of what it sent, untouched.
//
// Input: an octet of BackOption, one of BackMechanism, a seed for the cuts, the bytes.
enum BackOption : std::uint8_t {
  kBackSecure = 1,
  kBackStartTls = 2,
  kBackForward = 4,
  kBackProbe = 8,
  kBackMaster = 16,
  kBackOddCredentials = 32,  // quotes, backslashes, braces, 8-bit octets
  kBackLongCredentials = 64,
};
enum BackMechanism : std::uint8_t {
  kBackXOAuth2 = 1,
  kBackOAuthBearer = 2,  // without kBackXOAuth2
  kBackGiveUp = 4,       // the second challenge; the others are answered
  kBackForwardFields = 8,
};
inline constexpr std::size_t kBackHeader = 3;

void play_back(Protocol protocol, const std::uint8_t* data, std::size_t size);

}  // namespace postern::fuzz
