#pragma once

#include <algorithm>
#include <openssl/ssl.h>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "proxy/tls/context.h"
#include "proxy/tls/stream.h"

namespace postern::tls {

// BoringSSL itself as the other end, for what Stream would never do. Speaks as Stream does.
class RawEnd {
 public:
  enum class Side { Client, Server };
  explicit RawEnd(SSL_CTX* context, Side side = Side::Client);

  SSL* ssl() { return ssl_.get(); }

  Status handshake(std::string_view input, std::string& output);
  // All plaintext that `input` completes.
  std::string decrypt(std::string_view input, std::string& output);
  void encrypt(std::string_view plain, std::string& output);
  // Takes what the library has written.
  void flush(std::string& output);

  // The newest session, also of a ticket that came after the handshake.
  bssl::UniquePtr<SSL_SESSION> session;

 private:
  bssl::UniquePtr<SSL> ssl_;
};

// A client's context without verification that keeps sessions for RawEnd.
bssl::UniquePtr<SSL_CTX> raw_client_context(int maximum = TLS1_3_VERSION);

// The end's leaf certificate in PEM; what the peer sent.
std::string peer_certificate(const SSL* ssl);

struct Meeting {
  Status client;
  Status server;
  std::string to_client;  // what the last round left unread
  std::string to_server;
  bool done() const { return client == Status::Done && server == Status::Done; }
};

// Moves bytes in pieces of at most `piece` until both have finished or nothing moves. What follows an end's
// handshake in its last input goes to it all the same.
template <class Client, class Server>
Meeting meet(Client& client, Server& server, std::size_t piece = std::string::npos) {
  Meeting now{Status::NeedInput, Status::NeedInput, {}, {}};
  const auto feed = [piece](auto& end, Status& status, std::string& bytes, std::string& output) {
    const std::string input = std::move(bytes);
    bytes.clear();
    for (std::size_t at = 0; at < input.size() && status != Status::Failed;
         at += std::min(piece, input.size())) {
      status = end.handshake(std::string_view(input).substr(at, piece), output);
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(end)>, Stream>) {
        if (status == Status::Signing) {
          end.signing()();
          status = end.handshake({}, output);
        }
      }
    }
  };
  now.client = client.handshake({}, now.to_server);
  while (!now.to_server.empty() || (now.client == Status::NeedInput && !now.to_client.empty())) {
    if (now.server == Status::Failed || now.server == Status::Done) {
      if (now.client != Status::NeedInput) break;
    }
    feed(server, now.server, now.to_server, now.to_client);
    feed(client, now.client, now.to_client, now.to_server);
  }
  return now;
}

// decrypt() of all that `input` completes. Fails the test unless the answer is `expected`.
std::string decrypt_all(Stream& stream, std::string_view input, std::string& output,
                        Status expected = Status::Done);

std::string random_bytes(std::mt19937& random, std::size_t size);

}  // namespace postern::tls
