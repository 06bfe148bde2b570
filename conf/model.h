#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

enum class AuthBy : std::uint8_t { Store, Passwd };
struct Auth {
  AuthBy by = AuthBy::Store;
  std::vector<Mechanism> mechanisms{Mechanism::Plain, Mechanism::Login};
  std::string passwd_file;

  bool operator==(const Auth&) const = default;
};

struct Route {
  std::string user = "*";   // a glob, or "/regular expression/"
  std::string listener;     // empty: any
  std::string server_name;  // empty: any; compared without regard to case; a glob
  std::string pool;
  std::string backend;  // empty: the pool decides

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
  std::vector<Route> routes;
  std::vector<Pool> pools;
  Admin admin;

  bool operator==(const Config&) const = default;
};

}  // namespace postern::conf
