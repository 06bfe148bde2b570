#pragma once

#include <chrono>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string>
#include <vector>

#include "proxy/tls/context.h"
#include "tests/temporary_directory.h"

namespace postern::tls {

enum class Key { EcdsaP256, EcdsaP384, Rsa2048, Rsa1024, Ed25519 };

// RSA keys are made once for each size: they cost much.
bssl::UniquePtr<EVP_PKEY> new_key(Key kind);
std::string pem_of(const EVP_PKEY* key);
std::string pem_of(const X509* certificate);

struct Leaf {
  // DNS names; "IP:192.0.2.1", "email:bob@example.org"
  std::vector<std::string> names = {"mail.example.org"};
  std::string common_name = "";
  Key key = Key::EcdsaP256;
  std::chrono::seconds not_before{-3600};  // from now
  std::chrono::seconds not_after{86400};
  bool own_issuer = false;                       // self-signed
  std::string key_usage = "";                    // as OpenSSL's configuration names it; empty: any
  std::string extended_key_usage = "";           // as above
  std::vector<std::string> more_common_names{};  // behind common_name
};

// A certification authority and the files of what it issues.
class Authority {
 public:
  Authority();

  std::string root_file() const { return folder_ / "root.pem"; }
  CertificateFiles issue(const Leaf& leaf);
  // Through an intermediate authority, whose certificate follows the leaf in the chain.
  CertificateFiles issue_indirectly(const Leaf& leaf);
  const TemporaryDirectory& folder() const { return folder_; }
  std::string root_pem() const { return pem_of(root_.get()); }

 private:
  CertificateFiles write(const X509* leaf, const EVP_PKEY* key, const std::string& rest);

  TemporaryDirectory folder_;
  bssl::UniquePtr<EVP_PKEY> key_;
  bssl::UniquePtr<X509> root_;
  int issued_ = 0;
};

// One for all tests that need no other.
Authority& authority();

}  // namespace postern::tls
