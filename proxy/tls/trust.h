#pragma once

#include <expected>
#include <memory>
#include <openssl/x509.h>
#include <string>

#include "proxy/tls/context.h"
#include "proxy/tls/stream.h"

namespace postern::tls {

// Whom we mean to speak to: a host name without the dot at its end, or the bytes of an IP address.
struct PeerName {
  explicit PeerName(std::string_view text);
  std::string host;
  std::string address;  // 4 or 16 octets; empty: it is a host name
};

struct Verdict {
  Failure failure = Failure::None;
  std::string text;
};

// Whose certificates are believed. May be used from several threads.
class Trust {
 public:
  static std::expected<std::shared_ptr<const Trust>, std::string> create(const ClientSettings& settings);

  // The peer's chain against the roots, the time, and `name` (RFC 9525: DNS names and IP addresses of
  // subjectAltName alone, wildcards as the whole leftmost label). `alert` is set when the verdict is a
  // failure.
  Verdict judge(const SSL* ssl, const PeerName& name, std::uint8_t& alert) const;

 private:
  explicit Trust(bssl::UniquePtr<X509_STORE> roots) : roots_(std::move(roots)) {}
  bssl::UniquePtr<X509_STORE> roots_;  // null: nothing is verified
};

}  // namespace postern::tls
