#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parsers/offer.h"

// The capability list of POP3 (RFC 2449 §5).

namespace postern::pop3 {

// Lines of a store's list that a front may repeat, each with CRLF, the first of each keyword: what Postern
// decides itself (USER, SASL, STLS, ...) is left out, as is what no CAPA line can be.
std::string shared_capabilities(std::string_view lines_separated_by_lf);

// Whether a store's list, lines separated by LF, has the mechanism in its SASL line.
bool lists_mechanism(std::string_view lines, std::string_view mechanism);

struct CapaOffer {
  bool user = false;              // USER and PASS
  std::vector<Offer> mechanisms;  // SASL; empty: not listed
  bool stls = false;
  std::string_view shared;  // see shared_capabilities()
};

// The whole answer to CAPA, from +OK to the final dot.
std::string write_capa(const CapaOffer& offer);

// The names of SASL mechanisms, each behind `before` and followed by `behind`.
std::string write_mechanisms(const std::vector<Offer>& mechanisms, std::string_view before,
                             std::string_view behind);

}  // namespace postern::pop3
