#pragma once

#include <atomic>
#include <cstdint>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <vector>

namespace postern::tls {

// One signature of a handshake with an RSA key, made beside the loop. It owns all that it needs, so that any
// thread may make it, whatever becomes of the handshake meanwhile.
class Signing {
 public:
  // `algorithm` is a TLS SignatureScheme (RFC 8446 §4.2.3): PKCS#1 v1.5 or PSS.
  Signing(EVP_PKEY* key, std::uint16_t algorithm, std::span<const std::uint8_t> message);

  // On any thread. Only the first call does something.
  void run();

  // Retry: run() has not come to its end.
  ssl_private_key_result_t take(std::span<std::uint8_t> out, std::size_t& size) const;

 private:
  bool sign();

  enum class Stage : std::uint8_t { Due, Begun, Made, Failed };
  bssl::UniquePtr<EVP_PKEY> key_;
  std::uint16_t algorithm_;
  std::string message_;
  std::vector<std::uint8_t> signature_;
  std::atomic<Stage> stage_ = Stage::Due;  // Made and Failed hand signature_ over
};

// The private key of a connection whose signatures are left to FrontHandshake::signing.
extern const SSL_PRIVATE_KEY_METHOD kSignedElsewhere;

}  // namespace postern::tls
