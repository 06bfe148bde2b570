#include "proxy/tls/describe.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/digest.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string_view>

namespace postern::tls {
namespace {

// What `write` puts into a BIO; empty when it fails.
template <class Write>
std::string text_of(Write write) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr) std::abort();
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (!write(bio.get()) || BIO_mem_contents(bio.get(), &data, &size) != 1) return {};
  return {reinterpret_cast<const char*>(data), size};
}

std::string distinguished(const X509_NAME* name) {
  return text_of([name](BIO* out) { return X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) >= 0; });
}

std::string fingerprint_of(const X509* certificate) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha1(), digest.data(), &size) != 1) return {};
  std::string text;
  text.reserve(std::size_t{2} * size);
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4U];
    text += kHex[digest[i] & 15U];
  }
  return text;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char octet) { return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f; });
}

std::string common_name_of(const X509_NAME* subject) {
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  unsigned char* data = nullptr;
  const int size = ASN1_STRING_to_UTF8(&data, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
  const bssl::UniquePtr<unsigned char> owner(data);
  if (size <= 0) return {};
  const std::string_view name(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  return has_control(name) ? std::string() : std::string(name);
}

// rfc822Name is ASCII (RFC 5280 §4.2.1.6).
std::vector<std::string> emails_of(const X509* certificate) {
  std::vector<std::string> emails;
  const bssl::UniquePtr<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return emails;
  for (std::size_t i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_EMAIL) continue;
    const std::string_view email(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.rfc822Name)),
                                 static_cast<std::size_t>(ASN1_STRING_length(name->d.rfc822Name)));
    const bool ascii = std::all_of(email.begin(), email.end(),
                                   [](char octet) { return static_cast<unsigned char>(octet) < 0x80; });
    if (!email.empty() && ascii && !has_control(email)) emails.emplace_back(email);
  }
  return emails;
}

}  // namespace

PeerCertificate describe(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return {.subject = distinguished(subject),
          .issuer = distinguished(X509_get_issuer_name(certificate)),
          .serial = text_of([serial](BIO* out) { return i2a_ASN1_INTEGER(out, serial) > 0; }),
          .fingerprint = fingerprint_of(certificate),
          .emails = emails_of(certificate),
          .common_name = common_name_of(subject),
          .pem = text_of([certificate](BIO* out) { return PEM_write_bio_X509(out, certificate) == 1; })};
}

}  // namespace postern::tls
