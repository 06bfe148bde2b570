#pragma once

#include <expected>
#include <memory>
#include <openssl/x509.h>
#include <span>
#include <string>

#include "proxy/tls/clock.h"
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
  static std::shared_ptr<const Trust> in(std::span<const bssl::UniquePtr<X509>> roots, Clock clock);

  // The peer's chain against the roots, the time, and `name` (RFC 9525: DNS names and IP addresses of
  // subjectAltName alone, wildcards as the whole leftmost label). `alert` is set when the verdict is a
  // failure.
  Verdict judge(const SSL* ssl, const PeerName& name, std::uint8_t& alert) const;

  // The same for a client, whose name nobody expects: the chain, the time, and that its certificate is one
  // for clients.
  Verdict judge_client(const SSL* ssl, std::uint8_t& alert) const;

 private:
  explicit Trust(bssl::UniquePtr<X509_STORE> roots, Clock clock = {})
      : roots_(std::move(roots)), clock_(std::move(clock)) {}
  Verdict judge(const SSL* ssl, const PeerName* server, std::uint8_t& alert) const;

  bssl::UniquePtr<X509_STORE> roots_;  // null: nothing is verified
  Clock clock_;
};

}  // namespace postern::tls
