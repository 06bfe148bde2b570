#pragma once

#include <string>
#include <string_view>

#include "parsers/dialogue.h"

// Lists of capabilities: words separated by one space, without "CAPABILITY" in front (RFC 9051 §7.2.2).

namespace postern {

bool has_capability(std::string_view list, std::string_view word);

bool offers_starttls(const FrontSetup& setup);

// What the front offers before login: first the words that describe Postern itself, then those of
// setup.store_capabilities that don't contradict them.
std::string front_capabilities(const FrontSetup& setup);

// A store's list as a client that is logged in shall read it: without STARTTLS, LOGINDISABLED and AUTH=.
std::string capabilities_after_login(std::string_view list);

// The list in a response text that begins with "[CAPABILITY list]", control characters and words that can't
// be capabilities left out; empty when it begins otherwise.
std::string capabilities_in_code(std::string_view text);

// The same of an untagged response's words.
std::string clean_capabilities(std::string_view list);

}  // namespace postern
