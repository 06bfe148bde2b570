#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/protocol.h"
#include "proxy/tls/clock.h"
#include "proxy/tls/stream.h"

namespace postern::tls {

struct CertificateFiles {
  std::string chain;  // PEM, the leaf first
  std::string key;    // PEM, unencrypted
};

struct CertificateInfo {
  std::string chain_file;
  std::string subject;             // the first DNS name, or the common name
  std::vector<std::string> names;  // DNS names, lower case
  std::chrono::system_clock::time_point not_after;
  bool ecdsa = false;
};

struct ServerSettings {
  std::vector<CertificateFiles> certificates;  // the first is the default when no name matches
  bool minimum_1_3 = false;
  std::string ticket_seed_file = {};  // empty: keys of this process alone
  Clock clock = {};                   // of the ticket keys and for client_ca
  std::string client_ca = {};         // PEM: clients are asked for a certificate of it; empty: they are not
};

// The front's TLS: certificates by SNI (exact, then wildcard of the leftmost label, then the default), ECDSA
// before RSA for clients that can, ALPN imap and pop3, session tickets, TLS 1.2 and 1.3, no renegotiation, no
// early data. A client that is asked for a certificate and has none is served; one whose certificate does not
// verify is refused. Immutable: a reload makes a new one; streams keep what they need of the old.
// May be used from several threads.
class ServerContext {
 public:
  // The error is one sentence for the operator and names the file.
  static std::expected<std::shared_ptr<ServerContext>, std::string> create(const ServerSettings& settings);
  ~ServerContext();

  // A client that offers ALPN without the protocol's name is refused (no_application_protocol).
  Stream accept(Protocol protocol);

  const std::vector<CertificateInfo>& certificates() const;

 private:
  struct Impl;
  explicit ServerContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct ClientSettings {
  std::string ca_file = {};  // empty: the system's
  bool verify = true;
};

// The back's TLS to the stores of one pool. Keeps one session per server name and address for resumption.
// May be used from several threads.
class ClientContext {
 public:
  static std::expected<std::shared_ptr<ClientContext>, std::string> create(const ClientSettings& settings);
  ~ClientContext();

  // `name` is a host name (sent as SNI and checked against DNS names, RFC 9525) or an IP address (checked
  // against iPAddress). `session_key` tells sessions of different servers apart.
  Stream connect(const std::string& name, const std::string& session_key);

 private:
  struct Impl;
  explicit ClientContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reads a certificate and its key as create() would; an error sentence when they cannot be used together.
std::expected<CertificateInfo, std::string> inspect(const CertificateFiles& files);

}  // namespace postern::tls
