#include "proxy/tls/failure.h"

#include <cstdlib>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace postern::tls {
namespace {

Failure failure_of(int reason) {
  if (reason >= SSL_AD_REASON_OFFSET) return Failure::AlertReceived;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
      return Failure::NotTls;
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
      return Failure::UnsupportedVersion;
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUP:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_WRONG_CURVE:
      return Failure::NoSharedCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return Failure::NoSharedProtocol;
    default:
      return Failure::Protocol;
  }
}

// NO_SHARED_CIPHER becomes "no shared cipher".
std::string words_of(std::uint32_t error) {
  const char* reason = ERR_reason_error_string(error);
  std::string words = reason != nullptr ? reason : "unknown";
  for (char& c : words) {
    if (c == '_') c = ' ';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return words;
}

}  // namespace

std::string_view name_of(Failure failure) {
  switch (failure) {
    case Failure::None:
      return "none";
    case Failure::NotTls:
      return "not_tls";
    case Failure::UnsupportedVersion:
      return "unsupported_version";
    case Failure::NoSharedCipher:
      return "no_shared_cipher";
    case Failure::NoSharedProtocol:
      return "no_shared_protocol";
    case Failure::AlertReceived:
      return "alert_received";
    case Failure::CertificateExpired:
      return "certificate_expired";
    case Failure::CertificateName:
      return "certificate_name";
    case Failure::CertificateUntrusted:
      return "certificate_untrusted";
    case Failure::Protocol:
      return "protocol";
  }
  std::abort();
}

Trouble ErrorQueue::take() {
  // The first error of the TLS library is the cause; what stands before it comes from the cryptography below,
  // what follows are consequences.
  Trouble trouble{Failure::Protocol, ""};
  while (const std::uint32_t error = ERR_get_error()) {
    const bool ssl = ERR_GET_LIB(error) == ERR_LIB_SSL;
    if (trouble.text.empty() || ssl) trouble.text = words_of(error);
    if (!ssl) continue;
    trouble.failure = failure_of(ERR_GET_REASON(error));
    break;
  }
  if (trouble.text.empty()) trouble.text = "the connection ended inside TLS";
  clear();
  return trouble;
}

// Looking is much cheaper than clearing, and the queue is nearly always empty.
void ErrorQueue::clear() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace postern::tls
