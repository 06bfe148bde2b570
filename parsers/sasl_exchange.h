#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "parsers/credentials.h"
#include "parsers/offer.h"
#include "parsers/sasl.h"

namespace postern {

// The server's side of one SASL exchange (RFC 4422 §3), from the choice of a mechanism to the credentials
// that somebody is asked about. The lines around it and base64 are the protocols'.
class SaslExchange {
 public:
  explicit SaslExchange(const Offer& offer) : mechanism_(offer.mechanism), name_(offer.name) {}

  // The client shall say more; the challenge is base64 already, and a constant.
  struct Ask {
    std::string_view challenge;
  };
  using Step = std::variant<Ask, Credentials, CredentialsFault>;

  Step begin();                      // there is no initial response
  Step take(const Secret& message);  // the initial response, or what was said to Ask

 private:
  Mechanism mechanism_;
  std::string name_;
  std::optional<std::string> user_;  // of LOGIN, when it is known
};

}  // namespace postern
