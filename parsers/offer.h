#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "parsers/dialogue.h"

// What a client may log in with, in both protocols.

namespace postern {

struct Offer {
  Mechanism mechanism = Mechanism::Plain;
  std::string_view name;  // as in AUTH= and SASL; a view of the setup where it is relayed
};

// FrontSetup::mechanisms and then FrontSetup::relayed, each name once. Relayed names come from elsewhere;
// left out are those that are no names of mechanisms (RFC 4422 §3.1), and those that end in -PLUS: they bind
// a login to the client's TLS, which ends here (RFC 5802 §6).
//
// It does not look at `secure`: without TLS nothing of it is offered.
std::vector<Offer> offers_of(const FrontSetup& setup);

// The offer of that name, in any case.
std::optional<Offer> find_offer(const FrontSetup& setup, std::string_view name);

// LOGIN of IMAP, USER and PASS of POP3.
bool offers_passwords(const FrontSetup& setup);

}  // namespace postern
