#include "proxy/tls/client_ca.h"

#include <cstdlib>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <utility>

#include "proxy/tls/file.h"
#include "proxy/tls/pem.h"

namespace postern::tls {
namespace {

template <class Object, class Encode>
bssl::UniquePtr<CRYPTO_BUFFER> der_of(Object* object, Encode encode) {
  std::uint8_t* data = nullptr;
  const int size = encode(object, &data);
  const bssl::UniquePtr<std::uint8_t> owner(data);
  if (size < 0) std::abort();
  bssl::UniquePtr<CRYPTO_BUFFER> buffer(CRYPTO_BUFFER_new(data, static_cast<std::size_t>(size), nullptr));
  if (buffer == nullptr) std::abort();
  return buffer;
}

}  // namespace

std::expected<ClientCa, std::string> ClientCa::load(const std::string& file, Clock clock) {
  const auto content = read_file(file);
  if (!content) return std::unexpected(content.error());
  const auto certificates = parse_certificates(file, content->reveal(), Damaged::Refuse);
  if (!certificates) return std::unexpected(certificates.error());

  ClientCa ca{.trust = Trust::in(*certificates, std::move(clock)), .names = {}};
  ca.names.reset(sk_CRYPTO_BUFFER_new_null());
  SHA256_CTX digest;
  SHA256_Init(&digest);
  for (const auto& certificate : *certificates) {
    const auto der = der_of(certificate.get(), i2d_X509);
    SHA256_Update(&digest, CRYPTO_BUFFER_data(der.get()), CRYPTO_BUFFER_len(der.get()));
    auto name = der_of(X509_get_subject_name(certificate.get()), i2d_X509_NAME);
    if (!bssl::PushToStack(ca.names.get(), std::move(name))) std::abort();
  }
  SHA256_Final(ca.digest.data(), &digest);
  return ca;
}

}  // namespace postern::tls
