#include "proxy/tls/trust.h"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstdlib>
#include <openssl/pool.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <utility>

#include "proxy/tls/failure.h"
#include "proxy/tls/file.h"
#include "proxy/tls/pem.h"

namespace postern::tls {
namespace {

// Where distributions keep the roots of the system: Debian and Alpine, Red Hat, BSD.
constexpr std::array<const char*, 3> kSystemRoots = {"/etc/ssl/certs/ca-certificates.crt",
                                                     "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

std::string system_roots() {
  for (const char* path : kSystemRoots) {
    struct stat status{};
    if (::stat(path, &status) == 0) return path;
  }
  return kSystemRoots.front();
}

bssl::UniquePtr<X509_STORE> store_of(std::span<const bssl::UniquePtr<X509>> certificates) {
  bssl::UniquePtr<X509_STORE> roots(X509_STORE_new());
  if (roots == nullptr) std::abort();
  for (const auto& certificate : certificates) {
    if (X509_STORE_add_cert(roots.get(), certificate.get()) != 1) std::abort();
  }
  return roots;
}

// One root of a thousand that this library cannot read must not stop the start; of the operator's own file
// each must be good.
std::expected<bssl::UniquePtr<X509_STORE>, std::string> load_roots(const std::string& ca_file) {
  const ErrorQueue errors;
  const std::string path = ca_file.empty() ? system_roots() : ca_file;
  const auto content = read_file(path);
  if (!content) return std::unexpected(content.error());
  const auto certificates =
      parse_certificates(path, content->reveal(), ca_file.empty() ? Damaged::Skip : Damaged::Refuse);
  if (!certificates) return std::unexpected(certificates.error());
  return store_of(*certificates);
}

Failure failure_of(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Failure::CertificateExpired;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Failure::CertificateName;
    default:
      return Failure::CertificateUntrusted;
  }
}

Verdict untrusted(std::string text, int error, std::uint8_t& alert) {
  alert = static_cast<std::uint8_t>(SSL_alert_from_verify_result(error));
  return {failure_of(error), std::move(text)};
}

bool expect(X509_VERIFY_PARAM* parameters, const PeerName& name) {
  if (!name.address.empty()) {
    return X509_VERIFY_PARAM_set1_ip(parameters, reinterpret_cast<const unsigned char*>(name.address.data()),
                                     name.address.size()) == 1;
  }
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_host(parameters, name.host.data(), name.host.size()) == 1;
}

}  // namespace

PeerName::PeerName(std::string_view text) : host(text) {
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) {
    address.assign(bytes.data(), 4);
  } else if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) {
    address.assign(bytes.data(), 16);
  } else if (host.ends_with('.')) {
    host.pop_back();
  }
}

std::expected<std::shared_ptr<const Trust>, std::string> Trust::create(const ClientSettings& settings) {
  if (!settings.verify) return std::shared_ptr<const Trust>(new Trust(nullptr));
  auto roots = load_roots(settings.ca_file);
  if (!roots) return std::unexpected(std::move(roots).error());
  return std::shared_ptr<const Trust>(new Trust(std::move(*roots)));
}

std::shared_ptr<const Trust> Trust::in(std::span<const bssl::UniquePtr<X509>> roots, Clock clock) {
  return std::shared_ptr<const Trust>(new Trust(store_of(roots), std::move(clock)));
}

Verdict Trust::judge(const SSL* ssl, const PeerName& name, std::uint8_t& alert) const {
  return judge(ssl, &name, alert);
}

Verdict Trust::judge_client(const SSL* ssl, std::uint8_t& alert) const { return judge(ssl, nullptr, alert); }

Verdict Trust::judge(const SSL* ssl, const PeerName* server, std::uint8_t& alert) const {
  if (roots_ == nullptr) return {};
  const STACK_OF(CRYPTO_BUFFER)* sent = SSL_get0_peer_certificates(ssl);
  const bssl::UniquePtr<STACK_OF(X509)> chain(sk_X509_new_null());
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (chain == nullptr || context == nullptr) std::abort();
  for (std::size_t i = 0; sent != nullptr && i < sk_CRYPTO_BUFFER_num(sent); ++i) {
    bssl::UniquePtr<X509> certificate(X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(sent, i)));
    if (certificate == nullptr) {
      return untrusted("the certificate cannot be read", X509_V_ERR_UNSPECIFIED, alert);
    }
    if (!bssl::PushToStack(chain.get(), std::move(certificate))) std::abort();
  }
  if (sk_X509_num(chain.get()) == 0) return untrusted("no certificate", X509_V_ERR_UNSPECIFIED, alert);

  const char* purpose = server != nullptr ? "ssl_server" : "ssl_client";
  if (X509_STORE_CTX_init(context.get(), roots_.get(), sk_X509_value(chain.get(), 0), chain.get()) != 1 ||
      X509_STORE_CTX_set_default(context.get(), purpose) != 1) {
    std::abort();
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  if (clock_) X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(clock_()));
  if (server != nullptr && !expect(parameters, *server)) {
    return untrusted("no certificate can be for the name " + server->host, X509_V_ERR_HOSTNAME_MISMATCH,
                     alert);
  }
  if (X509_verify_cert(context.get()) == 1) return {};
  const int error = X509_STORE_CTX_get_error(context.get());
  const std::string whose =
      server != nullptr ? "certificate for " + server->host : "the client's certificate";
  return untrusted(whose + ": " + X509_verify_cert_error_string(error), error, alert);
}

}  // namespace postern::tls
