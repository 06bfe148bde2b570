#include "proxy/tls/certificates.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "proxy/tls/failure.h"
#include "proxy/tls/file.h"
#include "proxy/tls/host_name.h"
#include "proxy/tls/library.h"
#include "proxy/tls/pem.h"

namespace postern::tls {
namespace {

using Error = std::unexpected<std::string>;

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// DNS names of subjectAltName, lower case. What is no host name cannot be asked for and is left out.
std::vector<std::string> dns_names(const X509* leaf) {
  std::vector<std::string> names;
  const bssl::UniquePtr<GENERAL_NAMES> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(const_cast<X509*>(leaf), NID_subject_alt_name, nullptr, nullptr)));
  if (all == nullptr) return names;
  for (std::size_t i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const std::string text = text_of(name->d.dNSName);
    if (is_host_name(text)) names.push_back(lower(text));
  }
  return names;
}

std::string common_name(X509* leaf) {
  X509_NAME* subject = X509_get_subject_name(leaf);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return "";
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (size < 0) return "";
  const bssl::UniquePtr<unsigned char> owner(text);
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (epoch == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return {};
  return std::chrono::system_clock::time_point(std::chrono::days(days) + std::chrono::seconds(seconds));
}

CertificateInfo describe(const CertificateFiles& files, X509* leaf) {
  CertificateInfo info{.chain_file = files.chain,
                       .subject = common_name(leaf),
                       .names = dns_names(leaf),
                       .not_after = time_of(X509_get0_notAfter(leaf)),
                       .ecdsa = false};
  if (info.names.empty() && is_host_name(info.subject)) info.names.push_back(lower(info.subject));
  if (!info.names.empty()) info.subject = info.names.front();
  return info;
}

// Sets `group`. Empty: the key may be used; else what is wrong with it.
std::string judge_key(const EVP_PKEY* key, std::uint16_t& group) {
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_EC:
      switch (EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)))) {
        case NID_X9_62_prime256v1:
          group = SSL_CURVE_SECP256R1;
          return "";
        case NID_secp384r1:
          group = SSL_CURVE_SECP384R1;
          return "";
        default:
          return "an ECDSA key must be on the curve P-256 or P-384";
      }
    case EVP_PKEY_RSA:
      group = 0;
      if (EVP_PKEY_bits(key) >= 2048) return "";
      return "an RSA key must have at least 2048 bits, and this one has " +
             std::to_string(EVP_PKEY_bits(key));
    default:
      return "the key must be ECDSA or RSA";
  }
}

// The passphrase that we do not have; notes that one was asked for.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::expected<bssl::UniquePtr<EVP_PKEY>, std::string> load_key(const std::string& path) {
  auto content = read_file(path);
  if (!content) return Error(std::move(content).error());
  const bssl::UniquePtr<BIO> bio = memory_bio(content->reveal());
  bool encrypted = false;
  bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &encrypted));
  if (key == nullptr && encrypted) return Error(path + ": the key is encrypted, and must not be");
  if (key == nullptr && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
    return Error(path + ": holds no private key in PEM");
  }
  if (key == nullptr) return Error(path + ": the private key is damaged or incomplete");
  return key;
}

bool belongs(const X509* certificate, const EVP_PKEY* key) {
  const bssl::UniquePtr<EVP_PKEY> own(X509_get_pubkey(const_cast<X509*>(certificate)));
  return own != nullptr && EVP_PKEY_cmp(own.get(), key) == 1;
}

std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> encode(const std::vector<bssl::UniquePtr<X509>>& chain) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> encoded;
  for (const auto& certificate : chain) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    if (size < 0) std::abort();
    const bssl::UniquePtr<unsigned char> owner(der);
    encoded.emplace_back(CRYPTO_BUFFER_new(der, static_cast<std::size_t>(size), nullptr));
    if (encoded.back() == nullptr) std::abort();
  }
  return encoded;
}

}  // namespace

std::vector<CRYPTO_BUFFER*> Certificate::links() const {
  std::vector<CRYPTO_BUFFER*> links;
  links.reserve(chain.size());
  for (const auto& link : chain) links.push_back(link.get());
  return links;
}

std::expected<Certificate, std::string> load_certificate(const CertificateFiles& files) {
  ErrorQueue errors;
  auto content = read_file(files.chain);
  if (!content) return Error(std::move(content).error());
  auto chain = parse_certificates(files.chain, content->reveal(), Damaged::Refuse);
  if (!chain) return Error(std::move(chain).error());
  auto key = load_key(files.key);
  if (!key) return Error(std::move(key).error());

  X509* leaf = chain->front().get();
  Certificate certificate{.info = describe(files, leaf), .chain = {}, .key = std::move(*key)};
  if (const std::string wrong = judge_key(certificate.key.get(), certificate.group); !wrong.empty()) {
    return Error(files.key + ": " + wrong);
  }
  if (!belongs(leaf, certificate.key.get())) {
    const auto has_key = [&](const auto& x509) { return belongs(x509.get(), certificate.key.get()); };
    if (std::ranges::any_of(*chain, has_key))
      return Error(files.chain + ": the certificate of the key " + files.key + " must come first");
    return Error(files.key + ": the key does not belong to the certificate " + files.chain);
  }
  certificate.info.ecdsa = certificate.group != 0;
  certificate.chain = encode(*chain);

  // The library's own doubts, such as a key usage without signatures, come now and not in the first
  // handshake.
  ErrorQueue::clear();
  const auto trial = new_context(false);
  const std::vector<CRYPTO_BUFFER*> links = certificate.links();
  if (SSL_CTX_set_chain_and_key(trial.get(), links.data(), links.size(), certificate.key.get(), nullptr) !=
      1) {
    return Error(files.chain + ": the certificate cannot be used: " + errors.take().text);
  }
  return certificate;
}

std::expected<CertificateInfo, std::string> inspect(const CertificateFiles& files) {
  auto certificate = load_certificate(files);
  if (!certificate) return Error(std::move(certificate).error());
  return std::move(certificate->info);
}

}  // namespace postern::tls
