#pragma once

#include <cstddef>
#include <cstdint>

#include "parsers/protocol.h"

namespace postern::fuzz {

// Plays a front dialogue with an input from the fuzzer. What must hold for every client:
//
//  - How its bytes are cut into pieces changes neither what it reads nor what the driver is told.
//  - What it reads is whole lines of printable ASCII, and in proportion to what it sent.
//  - Between two events no more is held than one unfinished command may have.
//  - No credentials are taken in clear text where that was not allowed, nor by a mechanism that was not
//  offered;
//    those that are taken pass check().
//  - A challenge is answered with Response or Cancelled, once, unless the session ends; only what was
//  challenged
//    is.
//  - After StartTls nothing of what came in clear text has an effect.
//  - After Close there is no event, whatever comes.
//  - After accept() the rest is the end of what it sent, untouched.
//
// Input: an octet of FrontOption, one whose bits answer the logins (1: accept; 0: a challenge, where the
// mechanism may have one and has not had two, else reject), a seed for the cuts, the bytes.
enum FrontOption : std::uint8_t {
  kFrontSecure = 1,
  kFrontStartTls = 2,
  kFrontPlain = 4,
  kFrontLogin = 8,
  kFrontTightLimits = 16,
  kFrontOneBadCommand = 32,
  kFrontStoreCapabilities = 64,
  kFrontSasl = 128,  // XOAUTH2, OAUTHBEARER, EXTERNAL, and two mechanisms that are relayed
};
inline constexpr std::size_t kFrontHeader = 3;

void play_front(Protocol protocol, const std::uint8_t* data, std::size_t size);

}  // namespace postern::fuzz
