#include <cstdlib>
#include <openssl/ssl.h>
#include <utility>

#include "proxy/tls/context.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/library.h"
#include "proxy/tls/session_cache.h"
#include "proxy/tls/state.h"
#include "proxy/tls/trust.h"

namespace postern::tls {

struct ClientContext::Impl {
  std::shared_ptr<const Trust> trust;
  bssl::UniquePtr<SSL_CTX> context;
  SessionCache sessions;
};

namespace {

ssl_verify_result_t verify(SSL* ssl, std::uint8_t* alert) {
  auto& back = std::get<BackHandshake>(Stream::State::of(ssl).handshake->side);
  back.verdict = back.trust->judge(ssl, back.name, *alert);
  return back.verdict.failure == Failure::None ? ssl_verify_ok : ssl_verify_invalid;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  Stream::State::of(ssl).sessions->put(bssl::UniquePtr<SSL_SESSION>(session));
  return 1;  // the reference is ours
}

}  // namespace

ClientContext::ClientContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientContext::~ClientContext() = default;

std::expected<std::shared_ptr<ClientContext>, std::string> ClientContext::create(
    const ClientSettings& settings) {
  auto trust = Trust::create(settings);
  if (!trust) return std::unexpected(std::move(trust).error());
  auto impl = std::make_unique<Impl>();
  impl->trust = std::move(*trust);
  impl->context = new_context(false);
  SSL_CTX* context = impl->context.get();
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, verify);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  return std::shared_ptr<ClientContext>(new ClientContext(std::move(impl)));
}

Stream ClientContext::connect(const std::string& name, const std::string& session_key) {
  const ErrorQueue errors;
  PeerName peer(name);
  auto sessions = impl_->sessions.slot(peer.host + '\0' + session_key);
  const bool host = peer.address.empty();
  auto state = std::make_unique<Stream::State>(
      impl_->context.get(), Handshake{.side = BackHandshake{impl_->trust, peer, Verdict{}}});
  SSL* ssl = state->ssl.get();
  SSL_set_connect_state(ssl);
  // A name that cannot be sent cannot be in a certificate either: the check refuses it.
  if (host) SSL_set_tlsext_host_name(ssl, peer.host.c_str());
  if (const auto session = sessions->take()) SSL_set_session(ssl, session.get());
  state->sessions = std::move(sessions);
  return Stream(std::move(state));
}

}  // namespace postern::tls
