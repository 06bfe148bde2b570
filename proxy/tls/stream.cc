#include "proxy/tls/stream.h"

#include <algorithm>
#include <cstdlib>
#include <openssl/pool.h>
#include <openssl/x509.h>
#include <utility>
#include <variant>

#include "proxy/tls/bio.h"
#include "proxy/tls/describe.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/host_name.h"

namespace postern::tls {
namespace {

// The bytes of one call, where the BIO finds them.
class Exchange {
 public:
  Exchange(Stream::State& state, std::string_view input, std::string& output) : state_(state) {
    state_.input = input;
    state_.output = &output;
  }
  ~Exchange() {
    state_.input = {};
    state_.output = nullptr;
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

 private:
  Stream::State& state_;
};

// A record's content type (RFC 8446 §5.1), or the length of an SSL 2.0 hello, which gets its alert.
bool begins_tls(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return (byte >= 20 && byte <= 24) || byte >= 0x80;
}

bool has_certificate(const SSL* ssl) {
  const STACK_OF(CRYPTO_BUFFER)* sent = SSL_get0_peer_certificates(ssl);
  return sent != nullptr && sk_CRYPTO_BUFFER_num(sent) > 0;
}

Status fail(Stream::State& state, Trouble trouble) {
  state.trouble = std::make_unique<Trouble>(std::move(trouble));
  state.rest.reset();
  return Status::Failed;
}

// What the peer's certificate did wrong says more than the library's error.
Trouble handshake_trouble(Handshake& handshake, ErrorQueue& errors) {
  Verdict& verdict = std::visit([](auto& side) -> Verdict& { return side.verdict; }, handshake.side);
  if (verdict.failure != Failure::None) return {verdict.failure, std::move(verdict.text)};
  return errors.take();
}

// A certificate that came out of a ticket was verified when its session began; since then it may have
// expired. The library does not look again.
Verdict judge_again(SSL* ssl, const Handshake& handshake) {
  const auto* front = std::get_if<FrontHandshake>(&handshake.side);
  if (front == nullptr || front->clients == nullptr) return {};
  if (SSL_session_reused(ssl) != 1 || !has_certificate(ssl)) return {};
  std::uint8_t alert = SSL_AD_CERTIFICATE_UNKNOWN;
  Verdict verdict = front->clients->judge_client(ssl, alert);
  if (verdict.failure != Failure::None) SSL_send_fatal_alert(ssl, alert);
  return verdict;
}

void keep_unread(Stream::State& state) {
  if (!state.input.empty()) state.rest = std::make_unique<std::string>(state.input);
}

// A record adds at most a header, an explicit nonce, a tag and the inner content type.
constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr std::size_t kRecordOverhead = 5 + 8 + 16 + 1;

}  // namespace

Stream::State::State(SSL_CTX* context, Handshake begin)
    : handshake(std::make_unique<Handshake>(std::move(begin))), ssl(SSL_new(context)) {
  if (ssl == nullptr) std::abort();
  BIO* bio = new_bio(*this).release();
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_shed_handshake_config(ssl.get(), 1);
}

Stream::State& Stream::State::of(const SSL* ssl) { return state_of(SSL_get_rbio(ssl)); }

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Status Stream::handshake(std::string_view input, std::string& output) {
  State& state = *state_;
  if (state.trouble) return Status::Failed;
  if (!state.handshake) {
    if (!state.rest) state.rest = std::make_unique<std::string>();
    state.rest->append(input);
    return Status::Done;
  }
  if (!state.handshake->began && !input.empty()) {
    state.handshake->began = true;
    if (!begins_tls(input.front())) return fail(state, {Failure::NotTls, "clear text where TLS begins"});
  }

  const std::unique_ptr<std::string> rest = std::move(state.rest);
  if (rest) rest->append(input);

  ErrorQueue errors;
  const Exchange exchange(state, rest ? *rest : input, output);
  const int result = SSL_do_handshake(state.ssl.get());
  if (result == 1) {
    Verdict again = judge_again(state.ssl.get(), *state.handshake);
    if (again.failure != Failure::None) return fail(state, {again.failure, std::move(again.text)});
    state.handshake.reset();
    keep_unread(state);
    return Status::Done;
  }
  switch (SSL_get_error(state.ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Status::NeedInput;
    case SSL_ERROR_WANT_PRIVATE_KEY_OPERATION:
      keep_unread(state);
      return Status::Signing;
    default:
      return fail(state, handshake_trouble(*state.handshake, errors));
  }
}

bool Stream::has_read_hello() const {
  return !state_->handshake || std::get<FrontHandshake>(state_->handshake->side).has_hello;
}

std::function<void()> Stream::signing() const {
  const auto& signing = std::get<FrontHandshake>(state_->handshake->side).signing;
  return [waiting = std::weak_ptr(signing)] {
    if (const auto held = waiting.lock()) held->run();
  };
}

Status Stream::decrypt(std::string_view input, std::span<char> plain, std::size_t& size,
                       std::string& output) {
  State& state = *state_;
  size = 0;
  if (state.trouble) return Status::Failed;
  if (state.handshake) std::abort();
  const std::unique_ptr<std::string> rest = std::move(state.rest);
  if (rest) rest->append(input);

  ErrorQueue errors;
  const Exchange exchange(state, rest ? *rest : input, output);
  while (size < plain.size()) {
    const std::size_t room = std::min<std::size_t>(plain.size() - size, kRecord);
    const int result = SSL_read(state.ssl.get(), plain.data() + size, static_cast<int>(room));
    if (result > 0) {
      size += static_cast<std::size_t>(result);
      if (state.input.empty() && SSL_pending(state.ssl.get()) == 0) return Status::Done;
      continue;
    }
    switch (SSL_get_error(state.ssl.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return Status::Done;
      case SSL_ERROR_ZERO_RETURN:
        return Status::Closed;
      default:
        break;
    }
    Trouble trouble = errors.take();
    if (trouble.failure == Failure::NotTls) trouble.failure = Failure::Protocol;
    return fail(state, std::move(trouble));
  }
  keep_unread(state);
  return Status::Done;
}

Status Stream::encrypt(std::string_view plain, std::string& output) {
  State& state = *state_;
  if (state.trouble) return Status::Failed;
  if (state.handshake) std::abort();
  output.reserve(output.size() + plain.size() + (plain.size() / kRecord + 1) * kRecordOverhead);

  ErrorQueue errors;
  const Exchange exchange(state, {}, output);
  constexpr std::size_t kAtOnce = std::size_t{1} << 30;  // the library counts in int
  while (!plain.empty()) {
    const int size = static_cast<int>(std::min(plain.size(), kAtOnce));
    const int written = SSL_write(state.ssl.get(), plain.data(), size);
    if (written <= 0) return fail(state, errors.take());
    plain.remove_prefix(static_cast<std::size_t>(written));
  }
  return Status::Done;
}

void Stream::close_notify(std::string& output) {
  if (state_->trouble || state_->handshake) return;
  const ErrorQueue errors;
  const Exchange exchange(*state_, {}, output);
  SSL_shutdown(state_->ssl.get());
}

Agreement Stream::agreement() const {
  const SSL* ssl = state_->ssl.get();
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const char* group = SSL_get_curve_name(SSL_get_curve_id(ssl));
  return {.version = SSL_get_version(ssl),
          .cipher = cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : "",
          .group = group != nullptr ? group : "",
          .resumed = SSL_session_reused(ssl) == 1};
}

std::string Stream::server_name() const {
  const char* name = SSL_get_servername(state_->ssl.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr && is_host_name(name) ? lower(name) : std::string();
}

std::optional<PeerCertificate> Stream::peer_certificate() const {
  const SSL* ssl = state_->ssl.get();
  if (state_->handshake || state_->trouble || SSL_is_server(ssl) != 1 || !has_certificate(ssl))
    return std::nullopt;
  const ErrorQueue errors;
  const bssl::UniquePtr<X509> certificate(
      X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(SSL_get0_peer_certificates(ssl), 0)));
  if (certificate == nullptr) std::abort();  // it was verified
  return describe(certificate.get());
}

Failure Stream::failure() const { return state_->trouble ? state_->trouble->failure : Failure::None; }

std::string Stream::failure_text() const { return state_->trouble ? state_->trouble->text : std::string(); }

}  // namespace postern::tls
