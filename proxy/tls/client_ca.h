#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <openssl/pool.h>
#include <openssl/ssl.h>
#include <string>

#include "proxy/tls/trust.h"

namespace postern::tls {

// Whose certificates clients may show.
struct ClientCa {
  std::shared_ptr<const Trust> trust;
  // Of the certificates: a session that was verified against others does not resume.
  std::array<std::uint8_t, 32> digest{};
  // For the question (RFC 8446 §4.2.4): many clients choose their certificate by them.
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names;

  // The error names the file.
  static std::expected<ClientCa, std::string> load(const std::string& file, Clock clock);
};

}  // namespace postern::tls
