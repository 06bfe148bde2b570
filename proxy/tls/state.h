#pragma once

#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <variant>

#include "parsers/protocol.h"
#include "proxy/tls/session_cache.h"
#include "proxy/tls/signing.h"
#include "proxy/tls/stream.h"
#include "proxy/tls/trust.h"

namespace postern::tls {

struct Server;  // server_context.cc

// What only the handshake needs: it goes when the handshake is complete.
struct FrontHandshake {
  std::shared_ptr<const Server> server;
  Protocol protocol;
  const Trust* clients = nullptr;  // the server's; null: clients are not asked for a certificate
  Verdict verdict{};
  bool has_hello = false;
  EVP_PKEY* rsa_key = nullptr;            // of the certificate that was chosen; the server's
  std::shared_ptr<Signing> signing = {};  // under way, or taken
};
struct BackHandshake {
  std::shared_ptr<const Trust> trust;
  PeerName name;
  Verdict verdict;
};
struct Handshake {
  std::variant<FrontHandshake, BackHandshake> side;
  bool began = false;  // the peer's first byte was seen
};

struct Trouble {
  Failure failure;
  std::string text;
};

// There is one for each connection, so that every byte counts.
class Stream::State {
 public:
  State(SSL_CTX* context, Handshake handshake);
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static State& of(const SSL* ssl);

  // The BIO reads from the one and appends to the other, during a call of Stream.
  std::string_view input;
  std::string* output = nullptr;

  std::unique_ptr<Handshake> handshake;   // null: complete
  std::unique_ptr<std::string> rest;      // ciphertext that waits for the signature, or for decrypt()
  std::unique_ptr<Trouble> trouble;       // why it failed
  std::shared_ptr<SessionSlot> sessions;  // back: where new sessions go
  bssl::UniquePtr<SSL> ssl;               // last: its end may still ask for the others
};

inline FrontHandshake& front_of(const SSL* ssl) {
  return std::get<FrontHandshake>(Stream::State::of(ssl).handshake->side);
}

}  // namespace postern::tls
