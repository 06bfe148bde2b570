#include "tests/unit/tls/authority.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace postern::tls {
namespace {

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, kind, value.c_str()));
  must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

void set_time(ASN1_TIME* time, std::chrono::seconds from_now) {
  const auto at = std::chrono::system_clock::now() + from_now;
  must(ASN1_TIME_set(time, std::chrono::system_clock::to_time_t(at)) != nullptr, "time");
}

std::string text_of(BIO* bio) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  must(BIO_mem_contents(bio, &data, &size) == 1, "text");
  return {reinterpret_cast<const char*>(data), size};
}

bssl::UniquePtr<EVP_PKEY> new_ec(int curve) {
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  must(EC_KEY_generate_key(ec.get()) == 1 && EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1, "EC key");
  return key;
}

bssl::UniquePtr<EVP_PKEY> new_rsa(int bits) {
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  must(BN_set_word(exponent.get(), RSA_F4) == 1 &&
           RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr) == 1 &&
           EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1,
       "RSA key");
  return key;
}

bssl::UniquePtr<EVP_PKEY> new_ed25519() {
  const bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_keygen(context.get(), &key) == 1, "Ed25519 key");
  return bssl::UniquePtr<EVP_PKEY>(key);
}

void add_common_name(X509* certificate, const std::string& name) {
  must(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(name.data()),
                                  static_cast<int>(name.size()), -1, 0) == 1,
       "common name");
}

enum class Kind { Authority, Server };

// Without an issuer it is its own.
bssl::UniquePtr<X509> make(const Leaf& leaf, EVP_PKEY* key, Kind kind, X509* issuer, EVP_PKEY* signer) {
  static int serial = 0;
  bssl::UniquePtr<X509> certificate(X509_new());
  X509* x509 = certificate.get();
  must(X509_set_version(x509, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial) == 1 && X509_set_pubkey(x509, key) == 1,
       "certificate");
  set_time(X509_getm_notBefore(x509), leaf.not_before);
  set_time(X509_getm_notAfter(x509), leaf.not_after);
  if (!leaf.common_name.empty()) add_common_name(x509, leaf.common_name);
  for (const std::string& name : leaf.more_common_names) add_common_name(x509, name);
  if (issuer == nullptr) issuer = x509;
  must(X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1, "issuer");
  extend(x509, issuer, NID_basic_constraints,
         kind == Kind::Authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!leaf.key_usage.empty()) extend(x509, issuer, NID_key_usage, leaf.key_usage);
  if (!leaf.extended_key_usage.empty()) extend(x509, issuer, NID_ext_key_usage, leaf.extended_key_usage);
  std::string names;
  for (const std::string& name : leaf.names) {
    names += (names.empty() ? "" : ",") + (name.find(':') != std::string::npos ? name : "DNS:" + name);
  }
  if (!names.empty()) extend(x509, issuer, NID_subject_alt_name, names);
  must(X509_sign(x509, signer, EVP_PKEY_id(signer) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256()) > 0,
       "signature");
  return certificate;
}

}  // namespace

bssl::UniquePtr<EVP_PKEY> new_key(Key kind) {
  switch (kind) {
    case Key::EcdsaP256:
      return new_ec(NID_X9_62_prime256v1);
    case Key::EcdsaP384:
      return new_ec(NID_secp384r1);
    case Key::Rsa2048: {
      static const auto kKey = new_rsa(2048);
      return bssl::UpRef(kKey);
    }
    case Key::Rsa1024: {
      static const auto kKey = new_rsa(1024);
      return bssl::UpRef(kKey);
    }
    case Key::Ed25519:
      return new_ed25519();
  }
  std::abort();
}

std::string pem_of(const EVP_PKEY* key) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_PrivateKey(bio.get(), const_cast<EVP_PKEY*>(key), nullptr, nullptr, 0, nullptr,
                                nullptr) == 1,
       "key to PEM");
  return text_of(bio.get());
}

std::string pem_of(const X509* certificate) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(bio.get(), const_cast<X509*>(certificate)) == 1, "certificate to PEM");
  return text_of(bio.get());
}

Authority::Authority() : key_(new_key(Key::EcdsaP256)) {
  static int roots = 0;
  const Leaf self{.names = {},
                  .common_name = "Test Root " + std::to_string(++roots),
                  .not_before = std::chrono::hours(-24 * 365)};
  root_ = make(self, key_.get(), Kind::Authority, nullptr, key_.get());
  folder_.write("root.pem", root_pem());
}

CertificateFiles Authority::issue(const Leaf& leaf) {
  const auto key = new_key(leaf.key);
  const auto certificate = leaf.own_issuer ? make(leaf, key.get(), Kind::Server, nullptr, key.get())
                                           : make(leaf, key.get(), Kind::Server, root_.get(), key_.get());
  return write(certificate.get(), key.get(), "");
}

CertificateFiles Authority::issue_indirectly(const Leaf& leaf) {
  const auto middle_key = new_key(Key::EcdsaP256);
  const auto middle = make({.names = {}, .common_name = "Test Intermediate"}, middle_key.get(),
                           Kind::Authority, root_.get(), key_.get());
  const auto key = new_key(leaf.key);
  const auto certificate = make(leaf, key.get(), Kind::Server, middle.get(), middle_key.get());
  return write(certificate.get(), key.get(), pem_of(middle.get()));
}

CertificateFiles Authority::write(const X509* leaf, const EVP_PKEY* key, const std::string& rest) {
  const std::string number = std::to_string(++issued_);
  return {.chain = folder_.write("leaf" + number + ".pem", pem_of(leaf) + rest),
          .key = folder_.write("leaf" + number + ".key", pem_of(key))};
}

Authority& authority() {
  static Authority shared;
  return shared;
}

}  // namespace postern::tls
