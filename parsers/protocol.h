#pragma once

#include <cstdint>
#include <string_view>

namespace postern {

enum class Protocol : std::uint8_t { Imap, Pop3 };
inline constexpr std::size_t kProtocols = 2;

constexpr std::string_view name_of(Protocol protocol) { return protocol == Protocol::Imap ? "imap" : "pop3"; }

}  // namespace postern
