#pragma once

#include <string>
#include <variant>

#include "parsers/credentials.h"
#include "proxy/auth/http_message.h"
#include "proxy/auth/source.h"

namespace postern::auth {

// Auth-Status: WAIT. The same question is asked again after `time`.
struct AskAgain {
  Duration time{0};
};

// What nginx's contract makes of an answer to a login with this mechanism; `named` when the login had a user
// name. The ticket of the Answer is not set. README.md has the table.
std::variant<Answer, AskAgain> read_verdict(const HttpAnswer& answer, Mechanism mechanism, bool named);

// A service's words in one line, as logs and clients may read them: without controls, at most 400 octets,
// never cut inside a character.
std::string clean_words(std::string_view text);

}  // namespace postern::auth
