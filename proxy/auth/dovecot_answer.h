#pragma once

#include <chrono>
#include <cstdint>

#include "proxy/auth/dovecot_protocol.h"
#include "proxy/auth/source.h"

namespace postern::auth {

// What an OK means to us; README.md has the table of fields. Refused when it is no permission after all
// (nologin), or cannot be understood (AuthProtocol). `now` is for delay_until, and `random` spreads it. The
// ticket is left to the caller.
Answer understand_ok(DovecotReply reply, std::chrono::system_clock::time_point now, std::uint32_t random);

// What a FAIL means to us, and whom it is about.
Answer understand_fail(const DovecotReply& reply);

}  // namespace postern::auth
