#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tests/unit/tls/authority.h"

namespace postern::tls {
namespace {

std::string error_of(const CertificateFiles& files) {
  const auto info = inspect(files);
  const auto context = ServerContext::create({.certificates = {files}});
  CHECK(ERR_peek_error() == 0);  // nothing for the next session of this thread
  REQUIRE(info.has_value() == context.has_value());
  if (info) return "";
  CHECK(info.error() == context.error());
  return info.error();
}

TEST_CASE("inspect tells names, kind and end of a certificate") {
  const auto ecdsa =
      inspect(authority().issue({.names = {"Mail.Example.org", "*.example.org", "IP:192.0.2.1"},
                                 .common_name = "ignored.example.org",
                                 .not_after = std::chrono::hours(240)}));
  REQUIRE(ecdsa.has_value());
  CHECK(ecdsa->subject == "mail.example.org");
  CHECK(ecdsa->names == std::vector<std::string>{"mail.example.org", "*.example.org"});
  CHECK(ecdsa->ecdsa);
  const auto left = ecdsa->not_after - std::chrono::system_clock::now();
  CHECK(left > std::chrono::hours(239));
  CHECK(left <= std::chrono::hours(240));

  const auto rsa = inspect(authority().issue({.names = {}, .common_name = "Some Body", .key = Key::Rsa2048}));
  REQUIRE(rsa.has_value());
  CHECK(rsa->subject == "Some Body");
  CHECK(rsa->names.empty());
  CHECK_FALSE(rsa->ecdsa);
}

TEST_CASE("an expired certificate loads and says so") {
  const auto info = inspect(
      authority().issue({.not_before = std::chrono::hours(-48), .not_after = std::chrono::hours(-24)}));
  REQUIRE(info.has_value());
  CHECK(info->not_after < std::chrono::system_clock::now());
}

TEST_CASE("what cannot be used is refused in a sentence that begins with the file") {
  const TemporaryDirectory& folder = authority().folder();
  const CertificateFiles good = authority().issue({});
  const CertificateFiles other = authority().issue({});
  const CertificateFiles chained = authority().issue_indirectly({});
  const std::string chain = content_of(chained.chain);
  const std::string key = content_of(good.key);

  const auto missing = folder / "missing.pem";
  CHECK(error_of({missing, good.key}) == missing + ": No such file or directory");
  CHECK(error_of({good.chain, missing}) == missing + ": No such file or directory");

  const auto empty = folder.write("empty.pem", "");
  CHECK(error_of({empty, good.key}) == empty + ": the file is empty");
  CHECK(error_of({good.chain, empty}) == empty + ": the file is empty");

  const auto folder_path = folder.path();
  CHECK(error_of({folder_path, good.key}) == folder_path + ": not a regular file");

  const auto text = folder.write("text.pem", "no PEM at all\n");
  CHECK(error_of({text, good.key}) == text + ": holds no certificate in PEM");
  CHECK(error_of({good.chain, text}) == text + ": holds no private key in PEM");
  CHECK(error_of({good.key, good.key}) == good.key + ": holds no certificate in PEM");
  CHECK(error_of({good.chain, good.chain}) == good.chain + ": holds no private key in PEM");

  const auto half = folder.write("half.pem", chain.substr(0, chain.size() - 60));
  CHECK(error_of({half, chained.key}) == half + ": block 2 is damaged or incomplete");
  const auto half_key = folder.write("half.key", key.substr(0, key.size() / 2));
  CHECK(error_of({good.chain, half_key}) == half_key + ": the private key is damaged or incomplete");
  const auto wrong =
      folder.write("wrong.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
  CHECK(error_of({wrong, good.key}) == wrong + ": block 1 is not a certificate");

  CHECK(error_of({good.chain, other.key}) ==
        other.key + ": the key does not belong to the certificate " + good.chain);
  const std::string leaf = content_of(good.chain);
  const auto reversed = folder.write("reversed.pem", authority().root_pem() + leaf);
  CHECK(error_of({reversed, good.key}) ==
        reversed + ": the certificate of the key " + good.key + " must come first");

  const auto big = folder.write("big.pem", std::string((std::size_t{4} << 20) + 1, '\n'));
  CHECK(error_of({big, good.key}) == big + ": larger than 4 MiB");

  const CertificateFiles weak = authority().issue({.key = Key::Rsa1024});
  CHECK(error_of(weak) == weak.key + ": an RSA key must have at least 2048 bits, and this one has 1024");
  const CertificateFiles agreement = authority().issue({.key_usage = "keyAgreement"});
  CHECK(error_of(agreement) == agreement.chain + ": the certificate cannot be used: key usage bit incorrect");
  const CertificateFiles edwards = authority().issue({.key = Key::Ed25519});
  CHECK(error_of(edwards) == edwards.key + ": the key must be ECDSA or RSA");
}

TEST_CASE("an encrypted key is refused without a question on the terminal") {
  const CertificateFiles good = authority().issue({});
  const auto key = new_key(Key::EcdsaP256);
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  char passphrase[] = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), passphrase, 6, nullptr,
                                        nullptr) == 1);
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  REQUIRE(BIO_mem_contents(bio.get(), &data, &size) == 1);
  const auto path = authority().folder().write("encrypted.key", {reinterpret_cast<const char*>(data), size});
  CHECK(error_of({good.chain, path}) == path + ": the key is encrypted, and must not be");
}

TEST_CASE("chain and key may share a file") {
  const CertificateFiles good = authority().issue_indirectly({});
  const auto both = authority().folder().write("both.pem", content_of(good.key) + content_of(good.chain));
  CHECK(error_of({both, both}).empty());
}

TEST_CASE("no certificate, or one bad among good ones, makes no context") {
  CHECK_FALSE(ServerContext::create({}).has_value());
  const CertificateFiles good = authority().issue({});
  CHECK_FALSE(ServerContext::create({.certificates = {good, {good.chain, "/nowhere"}}}).has_value());
}

}  // namespace
}  // namespace postern::tls
