#pragma once

#include <openssl/x509.h>

#include "proxy/tls/peer_certificate.h"

namespace postern::tls {

// What the certificate says. A name that has a control character in it (NUL above all), or that is not what
// its type promises, is none: nothing is cut, and nothing else takes its place.
PeerCertificate describe(X509* certificate);

}  // namespace postern::tls
