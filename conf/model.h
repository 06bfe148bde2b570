#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsers/address.h"
#include "parsers/credentials.h"
#include "parsers/protocol.h"

// What an operator wrote, checked and complete: plain values, never changed after loading. The meaning of
// each key stands in conf/schema.cc, which the reference is generated from.

namespace postern::conf {

using Duration = std::chrono::milliseconds;

struct Drain {
  Duration wait{0};
  Duration spread{std::chrono::seconds(30)};
  Duration deadline{std::chrono::seconds(60)};

  bool operator==(const Drain&) const = default;
};

struct Server {
  std::string name;      // never empty: the loader fills in the machine's host name
  unsigned workers = 0;  // 0: one per CPU
  std::string user;
  Drain drain;

  bool operator==(const Server&) const = default;
};

enum class LogLevel : std::uint8_t { Debug, Info, Warn, Error };
enum class LogFormat : std::uint8_t { Logfmt, Json };
struct Log {
  LogLevel level = LogLevel::Info;
  LogFormat format = LogFormat::Logfmt;
  std::string target = "stderr";

  bool operator==(const Log&) const = default;
};

struct Limits {
  unsigned sessions = 50000;
  unsigned sessions_per_address = 0;
  unsigned sessions_per_user = 0;
  unsigned prelogin_per_address = 50;
  Duration login_time{std::chrono::seconds(60)};
  unsigned login_attempts = 3;
  unsigned bad_commands = 3;
  Duration failure_delay{std::chrono::seconds(2)};
  Duration failure_delay_max{std::chrono::seconds(15)};
  Duration idle{std::chrono::minutes(31)};
  std::size_t line = std::size_t{40} * 1024;
  std::size_t literal = std::size_t{4} * 1024;

  bool operator==(const Limits&) const = default;
};

struct CertificateFiles {
  std::string chain;
  std::string key;

  bool operator==(const CertificateFiles&) const = default;
};
enum class TlsVersion : std::uint8_t { V1_2, V1_3 };
struct Tls {
  std::vector<CertificateFiles> certificates;
  TlsVersion minimum = TlsVersion::V1_2;
  std::string ticket_seed_file;
  std::string client_ca{};  // a file; empty: clients are not asked for a certificate

  bool operator==(const Tls&) const = default;
};

enum class ListenTls : std::uint8_t { Implicit, StartTls, None };
struct Listener {
  std::string name;
  Protocol protocol = Protocol::Imap;
  std::vector<Endpoint> addresses;
  ListenTls tls = ListenTls::Implicit;
  std::vector<Network> proxy_protocol;
  std::vector<Network> trusted;

  bool operator==(const Listener&) const = default;
};

enum class AuthBy : std::uint8_t { Store, Passwd, Http, Dovecot };

// Where a service is asked: "http://host:port/path", "https://...".
struct Url {
  bool tls = false;
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 80;
  std::string path = "/";  // with the query; begins with "/"

  bool operator==(const Url&) const = default;
};

// auth.http: nginx's auth_http contract.
struct HttpSource {
  Url url;
  Duration timeout{std::chrono::seconds(5)};
  unsigned in_flight = 256;  // questions at once, of each worker; more are refused as temporary
  std::string ca_file;       // verifies an https service; empty: the system's
  enum class Escape : std::uint8_t { Full, Nginx } escape = Escape::Full;
  std::vector<std::pair<std::string, std::string>> headers;  // sent with every question
  bool pass_certificate = false;                             // Auth-SSL-Cert

  bool operator==(const HttpSource&) const = default;
};

// auth.dovecot: Dovecot's auth-client protocol.
struct DovecotSource {
  std::string path;  // of a UNIX socket; empty: host and port
  std::string host;
  std::uint16_t port = 0;
  Duration timeout{std::chrono::seconds(30)};
  unsigned in_flight = 1024;

  bool operator==(const DovecotSource&) const = default;
};

// auth.policy: a weakforced service, asked before and after the password is checked.
struct Policy {
  Url url;
  std::string key_file;  // holds the value of X-API-Key; empty: none is sent
  std::string nonce;     // hashed with user and password, so that the service never sees one
  Duration timeout{std::chrono::seconds(2)};
  unsigned in_flight = 100;
  std::string ca_file;
  bool reject_on_failure = false;  // an unreachable service: true refuses as temporary, false lets in

  bool operator==(const Policy&) const = default;
};

// What of a client's certificate is the user's name (SASL EXTERNAL).
enum class CertificateName : std::uint8_t { Email, CommonName };

struct Auth {
  AuthBy by = AuthBy::Store;
  std::vector<Mechanism> mechanisms{Mechanism::Plain, Mechanism::Login};  // never Command or Relayed
  std::vector<std::string>
      relayed;             // in capitals; with by = "dovecot": relayed where the service offers them
  bool relay_all = false;  // every mechanism that the service offers
  std::string passwd_file;
  std::optional<HttpSource> http;
  std::optional<DovecotSource> dovecot;
  std::optional<Policy> policy;
  std::vector<Network> allowed_hosts;  // what a source may name as a store
  CertificateName certificate_name = CertificateName::Email;
  std::string
      master_separator;  // one character: "user*master" asks to act as user; empty: it is a plain name

  bool operator==(const Auth&) const = default;
};

// [map.NAME]: users that are spread by hand. Exactly one of file and redis.
struct Map {
  std::string name;
  std::string file;
  struct Redis {
    std::string host;
    std::uint16_t port = 6379;
    std::string path;                         // of a UNIX socket; empty: host and port
    std::string key = "postern:user:{user}";  // {user} is replaced
    std::string user;                         // for AUTH; empty: password alone
    std::string password_file;                // empty: no AUTH
    unsigned database = 0;
    Duration timeout{std::chrono::seconds(1)};
    unsigned in_flight = 1024;

    bool operator==(const Redis&) const = default;
  };
  std::optional<Redis> redis;
  struct Cache {  // of redis
    unsigned entries = 100000;
    Duration found{std::chrono::seconds(60)};
    Duration missing{std::chrono::seconds(5)};

    bool operator==(const Cache&) const = default;
  } cache;

  bool operator==(const Map&) const = default;
};

struct Route {
  std::string user = "*";   // a glob, or "/regular expression/"
  std::string listener;     // empty: any
  std::string server_name;  // empty: any; compared without regard to case; a glob
  std::string pool;         // empty with a map
  std::string backend;      // empty: the pool decides
  std::string map{};        // asked for the pool; not found there: the next route

  bool operator==(const Route&) const = default;
};

struct Backend {
  std::string name;  // the identity that the hash uses
  std::string host;  // an address or a host name
  unsigned weight = 100;
  unsigned priority = 0;  // 0 is the best

  bool operator==(const Backend&) const = default;
};

enum class Balance : std::uint8_t { Hash, Least, RoundRobin };
enum class Data : std::uint8_t { Shared, Replicated, Partitioned };
enum class StoreTls : std::uint8_t { None, StartTls, Implicit };
enum class LoginAs : std::uint8_t { User, Master };
enum class HealthCheck : std::uint8_t { Connect, Tls, Greeting };

struct Forward {
  bool id = true;
  bool xclient = true;
  bool proxy_v1 = false;
  bool proxy_v2 = false;  // never together with proxy_v1

  bool operator==(const Forward&) const = default;
};

struct Health {
  HealthCheck check = HealthCheck::Greeting;
  Duration interval{std::chrono::seconds(2)};
  Duration timeout{std::chrono::seconds(2)};
  unsigned fall = 3;
  unsigned rise = 2;
  struct Eject {
    unsigned errors = 5;
    Duration base{std::chrono::seconds(30)};
    Duration max{std::chrono::seconds(300)};
    unsigned percent = 34;

    bool operator==(const Eject&) const = default;
  } eject;

  bool operator==(const Health&) const = default;
};

struct Pool {
  std::string name;
  Balance balance = Balance::Hash;
  Data data = Data::Shared;
  StoreTls tls = StoreTls::None;
  std::string ca_file;
  bool verify = true;
  std::uint16_t imap_port = 143;
  std::uint16_t pop3_port = 110;
  Forward forward;
  LoginAs login = LoginAs::User;
  bool authorization =
      false;  // login = "user": a client may ask to act as another (PLAIN's authzid, user*master)
  std::string master_user;
  std::string master_password_file;
  std::vector<Backend> backends;
  struct Time {
    Duration connect{std::chrono::seconds(5)};
    Duration login{std::chrono::seconds(30)};

    bool operator==(const Time&) const = default;
  } time;
  Health health;
  struct PoolLimits {
    unsigned sessions = 0;
    unsigned pending_logins = 200;

    bool operator==(const PoolLimits&) const = default;
  } limits;

  bool operator==(const Pool&) const = default;
};

struct Admin {
  std::optional<Endpoint> http = Endpoint{Address::v4({127, 0, 0, 1}), 9993};  // nullopt: no admin port

  bool operator==(const Admin&) const = default;
};

struct Config {
  Server server;
  Log log;
  Limits limits;
  Tls tls;
  std::vector<Listener> listeners;
  Auth auth;
  std::vector<Map> maps;
  std::vector<Route> routes;
  std::vector<Pool> pools;
  Admin admin;

  bool operator==(const Config&) const = default;
};

}  // namespace postern::conf
