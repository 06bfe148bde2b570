#include "bench/load_tls.h"

#include <openssl/ssl.h>
#include <utility>

#include "proxy/tls/library.h"
#include "proxy/tls/state.h"

namespace postern::bench {
namespace {

constexpr const char* kName = "bench.example.org";

int keep_session(SSL* ssl, SSL_SESSION* session) {
  tls::Stream::State::of(ssl).sessions->put(bssl::UniquePtr<SSL_SESSION>(session));
  return 1;  // the reference is ours
}

}  // namespace

struct LoadTls::Impl {
  bssl::UniquePtr<SSL_CTX> context = tls::new_context(false);
  tls::SessionCache sessions;
};

LoadTls::LoadTls() : impl_(std::make_unique<Impl>()) {}
LoadTls::~LoadTls() = default;

std::expected<std::unique_ptr<LoadTls>, std::string> LoadTls::create(const Choice& choice) {
  std::unique_ptr<LoadTls> made(new LoadTls);
  SSL_CTX* context = made->impl_->context.get();
  const std::uint16_t version = choice.version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_strict_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256");
  // P-256 is for the certificate's signature in TLS 1.2.
  const std::string groups = choice.group == "P-256" ? choice.group : choice.group + ":P-256";
  if (SSL_CTX_set1_curves_list(context, groups.c_str()) != 1)
    return std::unexpected("this BoringSSL does not have " + choice.group);
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, [](SSL*, std::uint8_t*) { return ssl_verify_ok; });
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  return made;
}

tls::Stream LoadTls::connect(const std::string& session_key) {
  auto sessions = impl_->sessions.slot(session_key);
  auto state = std::make_unique<tls::Stream::State>(
      impl_->context.get(),
      tls::Handshake{.side = tls::BackHandshake{nullptr, tls::PeerName(kName), tls::Verdict{}}});
  SSL* ssl = state->ssl.get();
  SSL_set_connect_state(ssl);
  SSL_set_tlsext_host_name(ssl, kName);
  if (const auto session = sessions->take()) SSL_set_session(ssl, session.get());
  state->sessions = std::move(sessions);
  return tls::Stream(std::move(state));
}

}  // namespace postern::bench
