#include <array>
#include <cstdlib>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <optional>
#include <utility>

#include "proxy/tls/certificates.h"
#include "proxy/tls/client_ca.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/context.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/host_name.h"
#include "proxy/tls/library.h"
#include "proxy/tls/name_table.h"
#include "proxy/tls/state.h"
#include "proxy/tls/tickets.h"

namespace postern::tls {

// What handshakes look up.
struct Server {
  std::vector<Certificate> certificates;
  NameTable names;
  TicketKeys tickets;
  std::optional<ClientCa> clients;
};

struct ServerContext::Impl {
  std::shared_ptr<const Server> server;
  std::vector<CertificateInfo> infos;
  bssl::UniquePtr<SSL_CTX> context;
};

namespace {

// A session resumes only under the name (RFC 6066 §3), for the protocol, and with the client_ca of its first
// handshake: none that another configuration verified, or did not verify, passes for one of this.
bool bind_sessions(SSL* ssl, const Server& server, Protocol protocol, std::string_view name) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> binding;
  SHA256_CTX digest;
  SHA256_Init(&digest);
  if (server.clients) SHA256_Update(&digest, server.clients->digest.data(), server.clients->digest.size());
  SHA256_Update(&digest, name.data(), name.size());
  SHA256_Final(binding.data(), &digest);
  binding.back() = static_cast<std::uint8_t>(protocol);
  return SSL_set_session_id_context(ssl, binding.data(), binding.size()) == 1;
}

ssl_select_cert_result_t choose_certificate(const SSL_CLIENT_HELLO* hello) {
  FrontHandshake& front = front_of(hello->ssl);
  front.has_hello = true;
  const char* asked = SSL_get_servername(hello->ssl, TLSEXT_NAMETYPE_host_name);
  const std::string name = asked != nullptr ? lower(asked) : std::string();
  const auto [ecdsa, rsa] = front.server->names.find(name);
  const bool use_ecdsa = ecdsa != nullptr && (rsa == nullptr || accepts_ecdsa(*hello, ecdsa->group));
  const Certificate& certificate = use_ecdsa ? *ecdsa : *rsa;

  const std::vector<CRYPTO_BUFFER*> chain = certificate.links();
  EVP_PKEY* key = certificate.key.get();
  if (!use_ecdsa) front.rsa_key = key;
  const bool set = SSL_set_chain_and_key(hello->ssl, chain.data(), chain.size(), use_ecdsa ? key : nullptr,
                                         use_ecdsa ? nullptr : &kSignedElsewhere) == 1 &&
                   bind_sessions(hello->ssl, *front.server, front.protocol, name);
  return set ? ssl_select_cert_success : ssl_select_cert_error;
}

// The client's list has a byte for the length before each name (RFC 7301 §3.1); the library checked it.
int choose_protocol(SSL* ssl, const std::uint8_t** out, std::uint8_t* out_size, const std::uint8_t* in,
                    unsigned in_size, void*) {
  const std::string_view ours = postern::name_of(front_of(ssl).protocol);
  for (const std::uint8_t* end = in + in_size; in < end; in += 1 + *in) {
    if (std::string_view(reinterpret_cast<const char*>(in) + 1, *in) != ours) continue;
    *out = in + 1;
    *out_size = *in;
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

constexpr SSL_TICKET_AEAD_METHOD kTickets = {
    .max_overhead = [](SSL*) { return TicketKeys::kOverhead; },
    .seal = [](SSL* ssl, std::uint8_t* out, std::size_t* out_size, std::size_t max_size,
               const std::uint8_t* in, std::size_t in_size) -> int {
      const auto size = front_of(ssl).server->tickets.seal({in, in_size}, {out, max_size});
      if (!size) return 0;
      *out_size = *size;
      return 1;
    },
    .open = [](SSL* ssl, std::uint8_t* out, std::size_t* out_size, std::size_t max_size,
               const std::uint8_t* in, std::size_t in_size) -> ssl_ticket_aead_result_t {
      const auto size = front_of(ssl).server->tickets.open({in, in_size}, {out, max_size});
      if (!size) return ssl_ticket_aead_ignore_ticket;
      *out_size = *size;
      return ssl_ticket_aead_success;
    },
};

ssl_verify_result_t verify(SSL* ssl, std::uint8_t* alert) {
  FrontHandshake& front = front_of(ssl);
  front.verdict = front.clients->judge_client(ssl, *alert);
  return front.verdict.failure == Failure::None ? ssl_verify_ok : ssl_verify_invalid;
}

// Who is not known yet may not make us hold more: a certificate and its intermediates fit many times.
constexpr std::size_t kLongestChain = std::size_t{32} * 1024;

void ask_for_certificates(SSL_CTX* context, ClientCa& clients) {
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, verify);
  SSL_CTX_set0_client_CAs(context, clients.names.release());
  SSL_CTX_set_max_cert_list(context, kLongestChain);
}

void configure(SSL_CTX* context) {
  constexpr auto kLifetime = static_cast<std::uint32_t>(std::chrono::seconds(TicketKeys::kLifetime).count());
  SSL_CTX_set_select_certificate_cb(context, choose_certificate);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_ticket_aead_method(context, &kTickets);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_timeout(context, kLifetime);
  SSL_CTX_set_session_psk_dhe_timeout(context, kLifetime);
}

}  // namespace

ServerContext::ServerContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerContext::~ServerContext() = default;

std::expected<std::shared_ptr<ServerContext>, std::string> ServerContext::create(
    const ServerSettings& settings) {
  const ErrorQueue errors;
  if (settings.certificates.empty()) return std::unexpected("no certificate is configured");
  std::vector<Certificate> certificates;
  auto impl = std::make_unique<Impl>();
  for (const CertificateFiles& files : settings.certificates) {
    auto certificate = load_certificate(files);
    if (!certificate) return std::unexpected(std::move(certificate).error());
    impl->infos.push_back(certificate->info);
    certificates.push_back(std::move(*certificate));
  }
  auto tickets = settings.ticket_seed_file.empty()
                     ? TicketKeys::of_process(settings.clock)
                     : TicketKeys::from_file(settings.ticket_seed_file, settings.clock);
  if (!tickets) return std::unexpected(std::move(tickets).error());
  impl->context = new_context(settings.minimum_1_3);
  configure(impl->context.get());
  std::optional<ClientCa> clients;
  if (!settings.client_ca.empty()) {
    auto loaded = ClientCa::load(settings.client_ca, settings.clock);
    if (!loaded) return std::unexpected(std::move(loaded).error());
    clients = std::move(*loaded);
    ask_for_certificates(impl->context.get(), *clients);
  }
  NameTable names(certificates);  // its pointers survive the move of the vector
  impl->server = std::make_shared<const Server>(
      Server{std::move(certificates), std::move(names), std::move(*tickets), std::move(clients)});
  return std::shared_ptr<ServerContext>(new ServerContext(std::move(impl)));
}

Stream ServerContext::accept(Protocol protocol) {
  const ErrorQueue errors;
  const auto& clients = impl_->server->clients;
  auto state = std::make_unique<Stream::State>(
      impl_->context.get(),
      Handshake{.side = FrontHandshake{impl_->server, protocol, clients ? clients->trust.get() : nullptr}});
  SSL_set_accept_state(state->ssl.get());
  return Stream(std::move(state));
}

const std::vector<CertificateInfo>& ServerContext::certificates() const { return impl_->infos; }

}  // namespace postern::tls
