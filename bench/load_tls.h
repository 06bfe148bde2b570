#pragma once

#include <expected>
#include <memory>
#include <string>

#include "proxy/tls/context.h"

namespace postern::bench {

// TLS of the load's clients: one version, one key exchange and AES-128, so that every proxy agrees on the
// same. Any certificate is believed: who checks it is not what is measured.
class LoadTls {
 public:
  struct Choice {
    std::string version = "1.3";   // 1.2 | 1.3
    std::string group = "X25519";  // as BoringSSL names it
  };
  // The error says what this BoringSSL does not have.
  static std::expected<std::unique_ptr<LoadTls>, std::string> create(const Choice& choice);
  ~LoadTls();

  // Streams with the same key resume each other's session, once it is known.
  tls::Stream connect(const std::string& session_key);

 private:
  LoadTls();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::bench
