#include "proxy/tls/signing.h"

#include <algorithm>
#include <memory>
#include <openssl/rsa.h>

#include "proxy/tls/failure.h"
#include "proxy/tls/state.h"

namespace postern::tls {

Signing::Signing(EVP_PKEY* key, std::uint16_t algorithm, std::span<const std::uint8_t> message)
    : key_(bssl::UpRef(key)), algorithm_(algorithm), message_(message.begin(), message.end()) {}

void Signing::run() {
  Stage due = Stage::Due;
  if (!stage_.compare_exchange_strong(due, Stage::Begun)) return;
  const ErrorQueue errors;
  stage_.store(sign() ? Stage::Made : Stage::Failed);
}

bool Signing::sign() {
  if (EVP_PKEY_id(key_.get()) != EVP_PKEY_RSA) return false;
  const EVP_MD* digest = SSL_get_signature_algorithm_digest(algorithm_);
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* options = nullptr;
  if (EVP_DigestSignInit(context.get(), &options, digest, nullptr, key_.get()) != 1) return false;
  if (SSL_is_signature_algorithm_rsa_pss(algorithm_) == 1) {
    constexpr int kAsDigest = -1;  // the salt's length (RFC 8446 §4.2.3)
    if (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1) return false;
    if (EVP_PKEY_CTX_set_rsa_pss_saltlen(options, kAsDigest) != 1) return false;
  }
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_size(key_.get()));
  signature_.resize(size);
  const auto* message = reinterpret_cast<const std::uint8_t*>(message_.data());
  if (EVP_DigestSign(context.get(), signature_.data(), &size, message, message_.size()) != 1) return false;
  signature_.resize(size);
  return true;
}

ssl_private_key_result_t Signing::take(std::span<std::uint8_t> out, std::size_t& size) const {
  switch (stage_.load()) {
    case Stage::Due:
    case Stage::Begun:
      return ssl_private_key_retry;
    case Stage::Failed:
      return ssl_private_key_failure;
    case Stage::Made:
      break;
  }
  if (signature_.size() > out.size()) return ssl_private_key_failure;
  std::ranges::copy(signature_, out.begin());
  size = signature_.size();
  return ssl_private_key_success;
}

const SSL_PRIVATE_KEY_METHOD kSignedElsewhere = {
    .sign = [](SSL* ssl, std::uint8_t*, std::size_t*, std::size_t, std::uint16_t algorithm,
               const std::uint8_t* message, std::size_t size) -> ssl_private_key_result_t {
      FrontHandshake& front = front_of(ssl);
      front.signing = std::make_shared<Signing>(front.rsa_key, algorithm, std::span(message, size));
      return ssl_private_key_retry;
    },
    // RSA key exchange is not offered.
    .decrypt = [](SSL*, std::uint8_t*, std::size_t*, std::size_t, const std::uint8_t*,
                  std::size_t) -> ssl_private_key_result_t { return ssl_private_key_failure; },
    .complete = [](SSL* ssl, std::uint8_t* out, std::size_t* size, std::size_t room)
        -> ssl_private_key_result_t { return front_of(ssl).signing->take({out, room}, *size); },
};

}  // namespace postern::tls
