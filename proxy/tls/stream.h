#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/tls/peer_certificate.h"

namespace postern::tls {

enum class Status : std::uint8_t {
  Done,       // the handshake is complete; or all input was taken
  NeedInput,  // more ciphertext is needed to complete the handshake
  Signing,    // front: the handshake goes on when the work of signing() is done
  Closed,     // the peer sent close_notify: an orderly end of its direction
  Failed,     // see failure(); an alert for the peer may be in `output`
};

// Why TLS failed, for the log and for the label of a metric: bounded.
enum class Failure : std::uint8_t {
  None,
  NotTls,  // the bytes are no TLS record: clear text on a TLS port
  UnsupportedVersion,
  NoSharedCipher,      // or group, or signature algorithm
  NoSharedProtocol,    // ALPN without ours
  AlertReceived,       // the peer refused: unknown CA, bad certificate ...
  CertificateExpired,  // the peer's certificate, as the others of this kind
  CertificateName,
  CertificateUntrusted,
  Protocol,  // anything else that breaks TLS's rules
};
std::string_view name_of(Failure failure);

// What a finished handshake agreed on. The views are constants of the library.
struct Agreement {
  std::string_view version;  // "TLSv1.3"
  std::string_view cipher;   // "TLS_AES_128_GCM_SHA256"
  std::string_view group;    // "X25519"
  bool resumed = false;
};

// TLS as a filter over bytes that someone else moves: ciphertext and plaintext go in and come out, no socket
// is known here. An idle stream holds no buffers. Made by ServerContext::accept() or
// ClientContext::connect().
//
// Ciphertext for the peer is always appended to `output`, whose owner sends it; it may be produced by any
// call (a key update, an alert), and must be sent even after Failed.
class Stream {
 public:
  class State;
  explicit Stream(std::unique_ptr<State> state);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  // Takes all of `input`; a client begins with an empty one. What follows the handshake in the same input is
  // kept for decrypt(), which fetches it with an empty input: call it once after Done. On the front, a
  // session ticket may wait for the first encrypt(), to travel with it.
  Status handshake(std::string_view input, std::string& output);

  // After Signing: makes the signature with the RSA key, which takes as long as dozens of other events. Any
  // thread may call it, at any time, also when the stream is gone: then it does nothing. When it has
  // returned, handshake() with an empty input goes on; before that, it answers Signing and keeps the input.
  // Signatures with ECDSA keys are made within handshake().
  std::function<void()> signing() const;

  // Front: the client's first flight is whole; what is left of the handshake costs less.
  bool has_read_hello() const;

  // Takes all of `input`, writes the plaintext to `plain`, whose size must be at least that of `input` (and
  // of what handshake() kept) plus kDecryptSlack, and sets `size`, which counts also when Closed or Failed is
  // answered. Done: more may come. In a smaller `plain` nothing is lost: the rest waits for the next call.
  // Only after the handshake, as encrypt().
  Status decrypt(std::string_view input, std::span<char> plain, std::size_t& size, std::string& output);

  // Encrypts all of `plain`. Done or Failed.
  Status encrypt(std::string_view plain, std::string& output);

  // Announces the orderly end of our direction; nothing may be encrypted after it. Before the end of the
  // handshake, and when it was announced, it does nothing.
  void close_notify(std::string& output);

  // After the handshake.
  Agreement agreement() const;
  // Front: the client's SNI in lower case, once the handshake has read it; empty when there was none, or when
  // it has characters that no host name has.
  std::string server_name() const;

  // Front, after the handshake: the client's certificate, verified against ServerSettings::client_ca.
  // nullopt: it was not asked for one, or has none. Made anew by each call.
  std::optional<PeerCertificate> peer_certificate() const;

  Failure failure() const;
  std::string failure_text() const;  // the library's reason, one line, for the log

 private:
  std::unique_ptr<State> state_;
};

// What a record that was incomplete before can add to the plaintext of one decrypt().
inline constexpr std::size_t kDecryptSlack = std::size_t{18} * 1024;

}  // namespace postern::tls
