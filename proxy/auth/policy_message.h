#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "parsers/fault.h"
#include "parsers/secret.h"
#include "proxy/auth/source.h"

namespace postern::auth {

// One login as a policy service knows it. It holds no secret, so that it may be kept until the login is over.
struct PolicyQuestion {
  std::string login;
  std::string password_hash;
  std::string remote;  // the client's address
  std::string device_id;
  std::string protocol;
  std::string session;
  bool tls = false;

  bool operator==(const PolicyQuestion&) const = default;
};

PolicyQuestion describe(const Question& question, std::string_view nonce);

// Dovecot's pwhash: the first twelve bits of SHA-256 over nonce, user, NUL and password, as four hexadecimal
// digits of which the first is 0. Enough to tell one password that is repeated from many that are tried, and
// too little to tell which.
std::string password_hash(std::string_view nonce, std::string_view user, const Secret& password);

// The JSON of command=allow; and of command=report, when it is known how the login ended (Fault::None: well).
// A name that is not UTF-8 is sent with U+FFFD for what JSON cannot say: such names share their fate.
std::string write_allow(const PolicyQuestion& question);
std::string write_report(const PolicyQuestion& question, Fault outcome);

struct PolicyReply {
  std::int64_t status = 0;  // < 0: reject; > 0: seconds to wait
  std::string message;      // see clean_words()
};
// The error is what is wrong with it.
std::expected<PolicyReply, std::string> read_policy_reply(std::string_view body);

}  // namespace postern::auth
