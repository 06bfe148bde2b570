#include "conf/schema.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace postern::conf {
namespace {

using namespace std::chrono_literals;
using Words = std::span<const std::string_view>;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kMostSessions = 1'000'000;
constexpr std::uint64_t kMostQuestions = 100'000;

constexpr std::string_view kLogLevels[] = {"debug", "info", "warn", "error"};
constexpr std::string_view kLogFormats[] = {"logfmt", "json"};
constexpr std::string_view kTlsVersions[] = {"1.2", "1.3"};
constexpr std::string_view kProtocolNames[] = {"imap", "pop3"};
constexpr std::string_view kListenTls[] = {"implicit", "starttls", "none"};
constexpr std::string_view kAuthBy[] = {"store", "passwd", "http", "dovecot"};
constexpr std::string_view kMechanismNames[] = {"plain",         "login",    "xoauth2",    "oauthbearer",
                                                "external",      "cram-md5", "digest-md5", "scram-sha-1",
                                                "scram-sha-256", "gssapi",   "otp",        "all"};
constexpr std::string_view kEscapes[] = {"full", "nginx"};
constexpr std::string_view kCertificateNames[] = {"email", "common_name"};
constexpr std::string_view kBalance[] = {"hash", "least", "round_robin"};
constexpr std::string_view kData[] = {"shared", "replicated", "partitioned"};
constexpr std::string_view kStoreTls[] = {"none", "starttls", "implicit"};
constexpr std::string_view kForward[] = {"id", "xclient", "proxy_v1", "proxy_v2"};
constexpr std::string_view kLoginAs[] = {"user", "master"};
constexpr std::string_view kChecks[] = {"connect", "tls", "greeting"};
constexpr std::string_view kChecksRefused[] = {"login"};

constexpr Type of(Kind kind) { return {.kind = kind, .words = {}, .refused = {}}; }
constexpr Type integer(std::uint64_t min, std::uint64_t max) {
  return {.kind = Kind::Integer, .min = min, .max = max, .words = {}, .refused = {}};
}
constexpr Type duration(Duration min, Duration max) {
  return {.kind = Kind::Period,
          .min = static_cast<std::uint64_t>(min.count()),
          .max = static_cast<std::uint64_t>(max.count()),
          .words = {},
          .refused = {}};
}
constexpr Type size(std::uint64_t min, std::uint64_t max) {
  return {.kind = Kind::Bytes, .min = min, .max = max, .words = {}, .refused = {}};
}
constexpr Type choice(Words words, Words refused = {}) {
  return {.kind = Kind::OneOf, .words = words, .refused = refused};
}
constexpr Type choices(Words words, Words refused = {}) {
  return {.kind = Kind::SomeOf, .words = words, .refused = refused};
}

void set_forward(Config& config, const Value& value) {
  Forward forward{.id = false, .xclient = false, .proxy_v1 = false, .proxy_v2 = false};
  bool* const members[] = {&forward.id, &forward.xclient, &forward.proxy_v1, &forward.proxy_v2};
  for (const std::size_t index : value.choices) *members[index] = true;
  config.pools.back().forward = forward;
}

// The first words are Postern's own mechanisms, the last is "all", and those between are relayed.
void set_mechanisms(Config& config, const Value& value) {
  static constexpr Mechanism kOwn[] = {Mechanism::Plain, Mechanism::Login, Mechanism::XOAuth2,
                                       Mechanism::OAuthBearer, Mechanism::External};
  Auth& auth = config.auth;
  auth.mechanisms.clear();
  for (const std::size_t index : value.choices) {
    const std::string_view word = kMechanismNames[index];
    if (index < std::size(kOwn)) {
      auth.mechanisms.push_back(kOwn[index]);
    } else if (word == "all") {
      auth.relay_all = true;
    } else {
      std::transform(word.begin(), word.end(), std::back_inserter(auth.relayed.emplace_back()),
                     [](char octet) {
                       return octet >= 'a' && octet <= 'z' ? static_cast<char>(octet - 'a' + 'A') : octet;
                     });
    }
  }
}

void set_dovecot_socket(Config& config, const Value& value) {
  DovecotSource& source = *config.auth.dovecot;
  (value.text.starts_with('/') ? source.path : source.host) = value.text;
  source.port = value.port();
}

void set_redis_address(Config& config, const Value& value) {
  Map::Redis& redis = *config.maps.back().redis;
  (value.text.starts_with('/') ? redis.path : redis.host) = value.text;
  redis.port = value.port();
}

void set_http(Config& config, const Value& value) {
  config.admin.http.reset();
  if (!value.endpoints.empty()) config.admin.http = value.endpoints.front();
}

void set_nothing(Config&, const Value&) {}

constexpr Section kSections[] = {
    {"server", "The process."},
    {"server.drain", "How sessions leave on SIGTERM."},
    {"log", "The log."},
    {"limits", "What a client may use. A limit of 0 is no limit where the range begins with 0."},
    {"tls", "TLS towards the clients."},
    {"tls.certificates[]",
     "One certificate. The first is used when no certificate has the name that the client asks for.",
     [](Config& config, std::string_view) { config.tls.certificates.emplace_back(); }},
    {"listen.*", "One listener; its name is in logs and metrics and in [[route]].",
     [](Config& config, std::string_view name) { config.listeners.emplace_back().name = name; }},
    {"auth", "Who checks the password."},
    {"auth.http",
     "An HTTP service that checks the password: nginx's auth_http contract; with `by = \"http\"`.",
     [](Config& config, std::string_view) { config.auth.http.emplace(); }},
    {"auth.dovecot", "Dovecot's auth-client socket; with `by = \"dovecot\"`.",
     [](Config& config, std::string_view) { config.auth.dovecot.emplace(); }},
    {"auth.policy",
     "A weakforced service. It is asked before and after the password is checked, and told a hash of it.",
     [](Config& config, std::string_view) { config.auth.policy.emplace(); }},
    {"map.*", "Users that are spread by hand, for [[route]]. Exactly one of `file` and [map.NAME.redis].",
     [](Config& config, std::string_view name) { config.maps.emplace_back().name = name; }},
    {"map.*.redis", "The map is in Redis.",
     [](Config& config, std::string_view) { config.maps.back().redis = Map::Redis{}; }},
    {"map.*.cache", "What each worker remembers of Redis's answers."},
    {"route[]",
     "Which pool a user goes to: the first route whose every condition holds. A login without a route is "
     "refused. Exactly one of `pool` and `map`.",
     [](Config& config, std::string_view) { config.routes.emplace_back(); }},
    {"pool.*", "Stores that can serve the same users.",
     [](Config& config, std::string_view name) { config.pools.emplace_back().name = name; }},
    {"pool.*.backends.*",
     "One store; its name is the identity that the hash uses. A string in the table's place is its host.",
     [](Config& config, std::string_view name) { config.pools.back().backends.emplace_back().name = name; },
     "host"},
    {"pool.*.time", "How long Postern waits for a store."},
    {"pool.*.health", "How Postern learns that a store is down."},
    {"pool.*.health.eject",
     "When logins that fail take a store out of use. A good health check brings it back before its time only "
     "where it tests what they failed by, and none tests the login itself; with `data = \"partitioned\"` "
     "always."},
    {"pool.*.limits", "What a store is given."},
    {"admin", "Looking at the running process."},
};

constexpr Row kRows[] = {
    {"server", "name", of(Kind::Host), "\"\"", "The name in greetings; empty: this machine's host name.",
     [](Config& config, const Value& value) { config.server.name = value.text; }},
    {"server", "workers", integer(0, 256), "0", "Event loops, each in its own thread; 0: one per CPU.",
     [](Config& config, const Value& value) { config.server.workers = value.count(); }},
    {"server", "user", of(Kind::Text), "\"\"", "Switch to this user after binding; empty: stay.",
     [](Config& config, const Value& value) { config.server.user = value.text; }},

    {"server.drain", "wait", duration(0s, 1h), "\"0s\"",
     "Not ready any more and still accepting, for balancers that poll /readyz.",
     [](Config& config, const Value& value) { config.server.drain.wait = value.duration; }},
    {"server.drain", "spread", duration(0s, 24h), "\"30s\"",
     "Sessions are asked to leave at an even pace over this time.",
     [](Config& config, const Value& value) { config.server.drain.spread = value.duration; }},
    {"server.drain", "deadline", duration(0s, 24h), "\"60s\"",
     "Whoever is still here is closed. At least `spread`.",
     [](Config& config, const Value& value) { config.server.drain.deadline = value.duration; }},

    {"log", "level", choice(kLogLevels), "\"info\"", "The least severe level that is written.",
     [](Config& config, const Value& value) { config.log.level = value.choice<LogLevel>(); }},
    {"log", "format", choice(kLogFormats), "\"logfmt\"", "The form of a line.",
     [](Config& config, const Value& value) { config.log.format = value.choice<LogFormat>(); }},
    {"log", "target", of(Kind::Text), "\"stderr\"", "`stderr`, `syslog`, or the absolute path of a file.",
     [](Config& config, const Value& value) { config.log.target = value.text; }},

    {"limits", "sessions", integer(1, kMostSessions), "50000",
     "Clients at once; beyond it the listeners pause. Each needs two file descriptors.",
     [](Config& config, const Value& value) { config.limits.sessions = value.count(); }},
    {"limits", "sessions_per_address", integer(0, kMostSessions), "0",
     "Sessions of one client address. IPv6 counts per /64.",
     [](Config& config, const Value& value) { config.limits.sessions_per_address = value.count(); }},
    {"limits", "sessions_per_user", integer(0, kMostSessions), "0", "Sessions of one user.",
     [](Config& config, const Value& value) { config.limits.sessions_per_user = value.count(); }},
    {"limits", "prelogin_per_address", integer(0, kMostSessions), "50",
     "Sessions of one client address that are not logged in yet. A proxy that a listener has in `trusted` is "
     "one "
     "address: behind it raise this, or let it send PROXY headers.",
     [](Config& config, const Value& value) { config.limits.prelogin_per_address = value.count(); }},
    {"limits", "login_time", duration(1s, 1h), "\"60s\"",
     "From accept to logged in: TLS, PROXY header and dialogue included.",
     [](Config& config, const Value& value) { config.limits.login_time = value.duration; }},
    {"limits", "login_attempts", integer(1, 100), "3", "Refused credentials per session; then it is closed.",
     [](Config& config, const Value& value) { config.limits.login_attempts = value.count(); }},
    {"limits", "bad_commands", integer(1, 1000), "3",
     "Commands before login that are none; then the session is closed.",
     [](Config& config, const Value& value) { config.limits.bad_commands = value.count(); }},
    {"limits", "failure_delay", duration(0s, 1min), "\"2s\"",
     "The answer to refused credentials waits this long, and longer for addresses that keep failing. A login "
     "that fails through a store or a service is refused this long after it began, and up to half as long "
     "again, by chance.",
     [](Config& config, const Value& value) { config.limits.failure_delay = value.duration; }},
    {"limits", "failure_delay_max", duration(0s, 5min), "\"15s\"",
     "The longest such wait. At least `failure_delay`.",
     [](Config& config, const Value& value) { config.limits.failure_delay_max = value.duration; }},
    {"limits", "idle", duration(1s, 168h), "\"31m\"",
     "Silence in both directions after login; then the session is closed. RFC 9051 §5.4 asks for at least 30 "
     "minutes with IMAP, RFC 1939 §3 for at least 10 minutes with POP3.",
     [](Config& config, const Value& value) { config.limits.idle = value.duration; }},
    {"limits", "line", size(512, kMiB), "\"40KiB\"",
     "An unfinished command before login. The default has room for the longest ID and for long tokens.",
     [](Config& config, const Value& value) { config.limits.line = value.number; }},
    {"limits", "literal", size(256, kMiB), "\"4KiB\"", "One literal in a command before login.",
     [](Config& config, const Value& value) { config.limits.literal = value.number; }},

    {"tls", "minimum", choice(kTlsVersions), "\"1.2\"", "The lowest version of TLS that a client may use.",
     [](Config& config, const Value& value) { config.tls.minimum = value.choice<TlsVersion>(); }},
    {"tls", "client_ca", of(Kind::File), "\"\"",
     "Ask clients for a certificate of this CA, PEM (SASL EXTERNAL); whoever has none is served as well. "
     "Empty: clients are not asked.",
     [](Config& config, const Value& value) { config.tls.client_ca = value.text; }},
    {"tls", "ticket_seed_file", of(Kind::File), "\"\"",
     "At least 32 octets that all replicas share: session tickets work across them.",
     [](Config& config, const Value& value) { config.tls.ticket_seed_file = value.text; }},
    {"tls.certificates[]", "chain", of(Kind::File), kRequired,
     "The certificate and its intermediates, PEM, the leaf first.",
     [](Config& config, const Value& value) { config.tls.certificates.back().chain = value.text; }},
    {"tls.certificates[]", "key", of(Kind::File), kRequired, "Its private key, PEM, without a passphrase.",
     [](Config& config, const Value& value) { config.tls.certificates.back().key = value.text; }},

    {"listen.*", "protocol", choice(kProtocolNames), kRequired, "What is spoken.",
     [](Config& config, const Value& value) { config.listeners.back().protocol = value.choice<Protocol>(); }},
    {"listen.*", "address", of(Kind::Endpoints), kRequired,
     "Addresses with ports: `[\"0.0.0.0:993\", \"[::]:993\"]`.",
     [](Config& config, const Value& value) { config.listeners.back().addresses = value.endpoints; }},
    {"listen.*", "tls", choice(kListenTls), "\"implicit\"",
     "`implicit`: from the first octet; `starttls`: after STARTTLS or STLS, and no login before; `none`: "
     "loopback addresses only.",
     [](Config& config, const Value& value) { config.listeners.back().tls = value.choice<ListenTls>(); }},
    {"listen.*", "proxy_protocol", of(Kind::Networks), "[]",
     "Networks that must send a PROXY v1 or v2 header; all others must not.",
     [](Config& config, const Value& value) { config.listeners.back().proxy_protocol = value.networks; }},
    {"listen.*", "trusted", of(Kind::Networks), "[]",
     "Networks of inner proxies, whose ID and XCLIENT fields are believed.",
     [](Config& config, const Value& value) { config.listeners.back().trusted = value.networks; }},

    {"auth", "by", choice(kAuthBy), "\"store\"",
     "`store`: the backend's answer to the login counts; `passwd`: Postern checks `passwd_file` first; "
     "`http`, `dovecot`: Postern asks the service of [auth.http] or [auth.dovecot] first.",
     [](Config& config, const Value& value) { config.auth.by = value.choice<AuthBy>(); }},
    {"auth", "mechanisms", choices(kMechanismNames), "[\"plain\", \"login\"]",
     "SASL mechanisms that are offered, at least one. IMAP's LOGIN and POP3's USER and PASS are offered with "
     "`plain` or `login`. `xoauth2` and "
     "`oauthbearer` are checked by the store or by a service; `external` needs `tls.client_ca` and somebody "
     "other than the store who believes the certificate. The names from `cram-md5` on are relayed to "
     "Dovecot, "
     "each where its service offers it, and `all` relays whatever else it offers: without a password for the "
     "store from that service, the user's pool needs `login = \"master\"`.",
     set_mechanisms},
    {"auth", "passwd_file", of(Kind::File), "\"\"",
     "Lines of `user:{scheme or crypt(3) hash}[:pool[:backend]]`; with `by = \"passwd\"`.",
     [](Config& config, const Value& value) { config.auth.passwd_file = value.text; }},
    {"auth", "allowed_hosts", of(Kind::Networks), "[]",
     "Where the stores may be that a service names by host and not by pool; empty: nowhere, such an answer "
     "is refused.",
     [](Config& config, const Value& value) { config.auth.allowed_hosts = value.networks; }},
    {"auth", "certificate_name", choice(kCertificateNames), "\"email\"",
     "What of the client's certificate is the user's name, with `external`.",
     [](Config& config, const Value& value) {
       config.auth.certificate_name = value.choice<CertificateName>();
     }},
    {"auth", "master_separator", of(Kind::Text), "\"\"",
     "One punctuation character: with `*`, the name `user*master` asks to act as `user` with the "
     "credentials of `master`; empty: it is a plain name.",
     [](Config& config, const Value& value) { config.auth.master_separator = value.text; }},

    {"auth.http", "url", of(Kind::Url), kRequired, "`http://` or `https://`.",
     [](Config& config, const Value& value) { config.auth.http->url = value.url; }},
    {"auth.http", "timeout", duration(1ms, 10min), "\"5s\"", "An answer that takes longer is none.",
     [](Config& config, const Value& value) { config.auth.http->timeout = value.duration; }},
    {"auth.http", "in_flight", integer(1, kMostQuestions), "256",
     "Questions at once, of each worker, each with its connection; more are refused as temporary.",
     [](Config& config, const Value& value) { config.auth.http->in_flight = value.count(); }},
    {"auth.http", "ca_file", of(Kind::File), "\"\"",
     "Verify the service of `https://` against this CA; empty: the system's.",
     [](Config& config, const Value& value) { config.auth.http->ca_file = value.text; }},
    {"auth.http", "escape", choice(kEscapes), "\"full\"",
     "What of user and password is written %XX. `full`: what is not visible ASCII, and `%`; `nginx`: as "
     "nginx does, which leaves octets above 0x7E as they are.",
     [](Config& config, const Value& value) {
       config.auth.http->escape = value.choice<HttpSource::Escape>();
     }},
    {"auth.http", "headers", of(Kind::Headers), "{}",
     "Sent with every question: `{ \"X-Name\" = \"value\" }`.",
     [](Config& config, const Value& value) { config.auth.http->headers = value.pairs; }},
    {"auth.http", "pass_certificate", of(Kind::Flag), "false",
     "Send the client's certificate as `Auth-SSL-Cert`; with `tls.client_ca`.",
     [](Config& config, const Value& value) { config.auth.http->pass_certificate = value.flag; }},

    {"auth.dovecot", "socket", of(Kind::Service), kRequired, "Where Dovecot's auth-client listens.",
     set_dovecot_socket},
    {"auth.dovecot", "timeout", duration(1ms, 10min), "\"30s\"", "An answer that takes longer is none.",
     [](Config& config, const Value& value) { config.auth.dovecot->timeout = value.duration; }},
    {"auth.dovecot", "in_flight", integer(1, kMostQuestions), "1024",
     "Questions at once, of each worker, over one connection; more are refused as temporary.",
     [](Config& config, const Value& value) { config.auth.dovecot->in_flight = value.count(); }},

    {"auth.policy", "url", of(Kind::Url), kRequired, "`http://` or `https://`, without `command=`.",
     [](Config& config, const Value& value) { config.auth.policy->url = value.url; }},
    {"auth.policy", "key_file", of(Kind::File), "\"\"",
     "The file that holds the value of `X-API-Key`; empty: none is sent.",
     [](Config& config, const Value& value) { config.auth.policy->key_file = value.text; }},
    {"auth.policy", "nonce", of(Kind::Text), kRequired,
     "Hashed with user and password, so that the service never sees a password. The same for all replicas, "
     "and none that is in use elsewhere.",
     [](Config& config, const Value& value) { config.auth.policy->nonce = value.text; }},
    {"auth.policy", "timeout", duration(1ms, 10min), "\"2s\"", "An answer that takes longer is none.",
     [](Config& config, const Value& value) { config.auth.policy->timeout = value.duration; }},
    {"auth.policy", "in_flight", integer(1, kMostQuestions), "100",
     "Questions at once, of each worker, each with its connection.",
     [](Config& config, const Value& value) { config.auth.policy->in_flight = value.count(); }},
    {"auth.policy", "ca_file", of(Kind::File), "\"\"",
     "Verify the service of `https://` against this CA; empty: the system's.",
     [](Config& config, const Value& value) { config.auth.policy->ca_file = value.text; }},
    {"auth.policy", "reject_on_failure", of(Kind::Flag), "false",
     "What happens when the service does not answer. true: the login is refused as temporary; false: it "
     "goes on.",
     [](Config& config, const Value& value) { config.auth.policy->reject_on_failure = value.flag; }},

    {"map.*", "file", of(Kind::File), "\"\"",
     "A file of users and the pools that they go to; read again when it changes.",
     [](Config& config, const Value& value) { config.maps.back().file = value.text; }},
    {"map.*.redis", "address", of(Kind::Service), kRequired, "Where Redis listens.", set_redis_address},
    {"map.*.redis", "key", of(Kind::Text), "\"postern:user:{user}\"",
     "The key that is asked for; `{user}` is replaced by the user's name.",
     [](Config& config, const Value& value) { config.maps.back().redis->key = value.text; }},
    {"map.*.redis", "user", of(Kind::Text), "\"\"", "For AUTH; empty: the password alone.",
     [](Config& config, const Value& value) { config.maps.back().redis->user = value.text; }},
    {"map.*.redis", "password_file", of(Kind::File), "\"\"",
     "The file that holds the password; empty: no AUTH.",
     [](Config& config, const Value& value) { config.maps.back().redis->password_file = value.text; }},
    {"map.*.redis", "database", integer(0, 65535), "0", "The number of the database.",
     [](Config& config, const Value& value) { config.maps.back().redis->database = value.count(); }},
    {"map.*.redis", "timeout", duration(1ms, 10min), "\"1s\"", "An answer that takes longer is none.",
     [](Config& config, const Value& value) { config.maps.back().redis->timeout = value.duration; }},
    {"map.*.redis", "in_flight", integer(1, kMostQuestions), "1024",
     "Questions at once, of each worker, over one connection.",
     [](Config& config, const Value& value) { config.maps.back().redis->in_flight = value.count(); }},
    {"map.*.cache", "entries", integer(0, 10'000'000), "100000", "Users, of each worker; 0: no cache.",
     [](Config& config, const Value& value) { config.maps.back().cache.entries = value.count(); }},
    {"map.*.cache", "found", duration(0s, 24h), "\"60s\"", "How long a place is believed.",
     [](Config& config, const Value& value) { config.maps.back().cache.found = value.duration; }},
    {"map.*.cache", "missing", duration(0s, 24h), "\"5s\"",
     "How long it is believed that the map does not have a user.",
     [](Config& config, const Value& value) { config.maps.back().cache.missing = value.duration; }},

    {"route[]", "user", of(Kind::Text), "\"*\"",
     "A glob over the whole user name, or `\"/regular expression/\"` (RE2's syntax).",
     [](Config& config, const Value& value) { config.routes.back().user = value.text; }},
    {"route[]", "listener", of(Kind::Text), "\"\"", "The listener that the client came to; empty: any.",
     [](Config& config, const Value& value) { config.routes.back().listener = value.text; }},
    {"route[]", "server_name", of(Kind::Text), "\"\"",
     "A glob over the name that the client asked for in TLS (SNI), regardless of case; empty: any.",
     [](Config& config, const Value& value) { config.routes.back().server_name = value.text; }},
    {"route[]", "pool", of(Kind::Text), "\"\"", "Where the user goes.",
     [](Config& config, const Value& value) { config.routes.back().pool = value.text; }},
    {"route[]", "map", of(Kind::Text), "\"\"",
     "In the place of `pool`: the map that says where the user goes. Whom it does not have, the next route "
     "takes.",
     [](Config& config, const Value& value) { config.routes.back().map = value.text; }},
    {"route[]", "backend", of(Kind::Text), "\"\"", "The one backend of the pool; empty: the pool decides.",
     [](Config& config, const Value& value) { config.routes.back().backend = value.text; }},

    {"pool.*", "balance", choice(kBalance), "\"hash\"",
     "`hash`: rendezvous, a user has a home; `least`: fewest sessions; `round_robin`.",
     [](Config& config, const Value& value) { config.pools.back().balance = value.choice<Balance>(); }},
    {"pool.*", "data", choice(kData), "\"shared\"",
     "`shared`, `replicated`: any backend can serve any user; `partitioned`: only the user's home can.",
     [](Config& config, const Value& value) { config.pools.back().data = value.choice<Data>(); }},
    {"pool.*", "tls", choice(kStoreTls), "\"none\"", "TLS to the stores.",
     [](Config& config, const Value& value) { config.pools.back().tls = value.choice<StoreTls>(); }},
    {"pool.*", "ca_file", of(Kind::File), "\"\"", "Verify the store against this CA; empty: the system's.",
     [](Config& config, const Value& value) { config.pools.back().ca_file = value.text; }},
    {"pool.*", "verify", of(Kind::Flag), "true",
     "Verify the store's certificate and name; false only for tests.",
     [](Config& config, const Value& value) { config.pools.back().verify = value.flag; }},
    {"pool.*", "imap_port", integer(1, 65535), "143", "993 when `tls = \"implicit\"` and nothing is written.",
     [](Config& config, const Value& value) { config.pools.back().imap_port = value.port(); }},
    {"pool.*", "pop3_port", integer(1, 65535), "110", "995 when `tls = \"implicit\"` and nothing is written.",
     [](Config& config, const Value& value) { config.pools.back().pop3_port = value.port(); }},
    {"pool.*", "forward", choices(kForward), "[\"id\", \"xclient\"]",
     "How the store is told who the client is. At most one of `proxy_v1` and `proxy_v2`.", set_forward},
    {"pool.*", "login", choice(kLoginAs), "\"user\"",
     "`user`: with the client's own credentials; `master`: as `master_user` on behalf of the user, which "
     "needs "
     "[auth] by other than `store`, or nobody would check the password.",
     [](Config& config, const Value& value) { config.pools.back().login = value.choice<LoginAs>(); }},
    {"pool.*", "authorization", of(Kind::Flag), "false",
     "With `login = \"user\"`: a client may ask the store to act as another user (PLAIN's authorization "
     "identity, `auth.master_separator`).",
     [](Config& config, const Value& value) { config.pools.back().authorization = value.flag; }},
    {"pool.*", "master_user", of(Kind::Text), "\"\"", "With `login = \"master\"`.",
     [](Config& config, const Value& value) { config.pools.back().master_user = value.text; }},
    {"pool.*", "master_password_file", of(Kind::File), "\"\"",
     "The file that holds the master user's password.",
     [](Config& config, const Value& value) { config.pools.back().master_password_file = value.text; }},

    {"pool.*.backends.*", "host", of(Kind::Host), kRequired, "An address or a host name, without a port.",
     [](Config& config, const Value& value) { config.pools.back().backends.back().host = value.text; }},
    {"pool.*.backends.*", "weight", integer(0, 10000), "100",
     "The share of users, relative to the other backends; 0: no new users.",
     [](Config& config, const Value& value) { config.pools.back().backends.back().weight = value.count(); }},
    {"pool.*.backends.*", "priority", integer(0, 100), "0",
     "0 is the best; a backend is used when none of a better priority can be.",
     [](Config& config, const Value& value) {
       config.pools.back().backends.back().priority = value.count();
     }},
    {"pool.*.backends.*", "discover", of(Kind::Refused), "", "One backend per DNS answer: `a` or `srv`.",
     set_nothing},

    {"pool.*.time", "connect", duration(1ms, 10min), "\"5s\"", "Name lookup, TCP and TLS.",
     [](Config& config, const Value& value) { config.pools.back().time.connect = value.duration; }},
    {"pool.*.time", "login", duration(1ms, 10min), "\"30s\"",
     "From the store's greeting to its answer to the login.",
     [](Config& config, const Value& value) { config.pools.back().time.login = value.duration; }},

    {"pool.*.health", "check", choice(kChecks, kChecksRefused), "\"greeting\"",
     "How far a check goes: TCP, TLS, or the store's greeting. Each protocol in which users can come to the "
     "pool is checked.",
     [](Config& config, const Value& value) {
       config.pools.back().health.check = value.choice<HealthCheck>();
     }},
    {"pool.*.health", "interval", duration(1ms, 1h), "\"2s\"", "From one check to the next.",
     [](Config& config, const Value& value) { config.pools.back().health.interval = value.duration; }},
    {"pool.*.health", "timeout", duration(1ms, 1h), "\"2s\"", "A check that takes longer has failed.",
     [](Config& config, const Value& value) { config.pools.back().health.timeout = value.duration; }},
    {"pool.*.health", "fall", integer(1, 100), "3", "Failed checks in a row until a backend is down.",
     [](Config& config, const Value& value) { config.pools.back().health.fall = value.count(); }},
    {"pool.*.health", "rise", integer(1, 100), "2", "Good checks in a row until a backend is up.",
     [](Config& config, const Value& value) { config.pools.back().health.rise = value.count(); }},

    {"pool.*.health.eject", "errors", integer(1, 10000), "5", "Failures in a row until a backend is ejected.",
     [](Config& config, const Value& value) { config.pools.back().health.eject.errors = value.count(); }},
    {"pool.*.health.eject", "base", duration(1ms, 24h), "\"30s\"",
     "How long the first time, and more each further time.",
     [](Config& config, const Value& value) { config.pools.back().health.eject.base = value.duration; }},
    {"pool.*.health.eject", "max", duration(1ms, 24h), "\"300s\"", "How long at most. At least `base`.",
     [](Config& config, const Value& value) { config.pools.back().health.eject.max = value.duration; }},
    {"pool.*.health.eject", "percent", integer(0, 100), "34",
     "How much of the pool may be ejected at the same time; one backend may always be. 0: none ever.",
     [](Config& config, const Value& value) { config.pools.back().health.eject.percent = value.count(); }},

    {"pool.*.limits", "sessions", integer(0, kMostSessions), "0", "Per backend; 0: no limit.",
     [](Config& config, const Value& value) { config.pools.back().limits.sessions = value.count(); }},
    {"pool.*.limits", "pending_logins", integer(1, 100'000), "200",
     "Logins in flight per backend; more wait in line.",
     [](Config& config, const Value& value) { config.pools.back().limits.pending_logins = value.count(); }},

    {"admin", "http", of(Kind::EndpointOrNone), "\"127.0.0.1:9993\"",
     "/metrics, /healthz, /readyz and the status page: reads only; empty: none.", set_http},
    {"admin", "socket", of(Kind::Refused), "\"\"", "The postern command's own door.", set_nothing},
};

}  // namespace

std::span<const Section> sections() { return kSections; }
std::span<const Row> rows() { return kRows; }

const Section* find_section(std::string_view path) {
  for (const Section& section : kSections) {
    if (section.path == path) return &section;
  }
  return nullptr;
}

const Row* find_row(std::string_view table, std::string_view key) {
  for (const Row& row : kRows) {
    if (row.table == table && row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace postern::conf
