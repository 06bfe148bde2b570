#pragma once

#include <optional>
#include <string_view>

#include "parsers/secret.h"

namespace postern {

// RFC 4648 §4, strict: the length is a multiple of four, padding stands at the end alone and its unused bits
// are zero; anything else, white space included, is nullopt. The empty string decodes to nothing.
std::optional<Secret> decode_base64(std::string_view text);

Secret encode_base64(std::string_view bytes);

}  // namespace postern
