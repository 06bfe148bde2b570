#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/secret.h"
#include "proxy/auth/source.h"

// The lines that we say to Dovecot's authentication service. Whatever a client sent is escaped, or in base64
// of our own making: no value can end its line, and none can make Dovecot close the connection that all
// logins share (CVE-2025-59028).

namespace postern::auth {

// With its LF. Dovecot closes the connection at a line of 16 KiB.
inline constexpr std::size_t kDovecotLongestQuestion = std::size_t{16} * 1024 - 64;

// The SASL mechanism that carries the credentials: PLAIN for Command, Plain and Login.
std::string_view dovecot_mechanism(const Credentials& credentials);

// nullopt: longer than Dovecot takes.
std::optional<Secret> write_auth(std::uint32_t id, const Question& question);
std::optional<Secret> write_continue(std::uint32_t id, std::string_view message);
std::string write_cancel(std::uint32_t id);

}  // namespace postern::auth
