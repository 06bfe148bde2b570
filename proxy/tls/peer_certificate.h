#pragma once

#include <string>
#include <vector>

namespace postern::tls {

// What a client's certificate says, after it was verified against [tls] client_ca on this very connection (a
// resumed session included: the certificate is part of the ticket). Names are as in RFC 2253 where they are
// distinguished names.
struct PeerCertificate {
  std::string subject;
  std::string issuer;
  std::string serial;               // hexadecimal
  std::string fingerprint;          // SHA-1 of the DER form, hexadecimal: nginx's
  std::vector<std::string> emails;  // rfc822Name of the subject's alternative names
  std::string common_name;          // the last of the subject; empty when there is none
  std::string pem;
};

}  // namespace postern::tls
