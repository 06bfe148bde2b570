#include "proxy/tls/client_hello.h"

#include <openssl/bytestring.h>

namespace postern::tls {
namespace {

enum class Length { Byte, Word };

// Whether the list of 16-bit values in `list`, behind its length, has the value. A broken list has none: the
// library refuses it later.
bool has(CBS list, std::uint16_t wanted) {
  std::uint16_t value = 0;
  while (CBS_get_u16(&list, &value)) {
    if (value == wanted) return true;
  }
  return false;
}

CBS extension_list(const SSL_CLIENT_HELLO& hello, std::uint16_t type, Length length) {
  CBS list;
  CBS_init(&list, nullptr, 0);
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (SSL_early_callback_ctx_extension_get(&hello, type, &data, &size) != 1) return list;
  CBS extension;
  CBS_init(&extension, data, size);
  const int found = length == Length::Byte ? CBS_get_u8_length_prefixed(&extension, &list)
                                           : CBS_get_u16_length_prefixed(&extension, &list);
  if (found != 1) CBS_init(&list, nullptr, 0);
  return list;
}

constexpr std::uint16_t kEcdsaSuites[] = {0xc02b, 0xc02c, 0xcca9};  // of kCiphers

}  // namespace

bool accepts_ecdsa(const SSL_CLIENT_HELLO& hello, std::uint16_t group) {
  const CBS algorithms = extension_list(hello, TLSEXT_TYPE_signature_algorithms, Length::Word);
  const bool p256 = has(algorithms, SSL_SIGN_ECDSA_SECP256R1_SHA256);
  const bool p384 = has(algorithms, SSL_SIGN_ECDSA_SECP384R1_SHA384);
  const CBS versions = extension_list(hello, TLSEXT_TYPE_supported_versions, Length::Byte);
  if (has(versions, TLS1_3_VERSION)) return group == SSL_CURVE_SECP256R1 ? p256 : p384;

  if (!p256 && !p384) return false;
  if (!has(extension_list(hello, TLSEXT_TYPE_supported_groups, Length::Word), group)) return false;
  CBS suites;
  CBS_init(&suites, hello.cipher_suites, hello.cipher_suites_len);
  for (const std::uint16_t suite : kEcdsaSuites) {
    if (has(suites, suite)) return true;
  }
  return false;
}

}  // namespace postern::tls
