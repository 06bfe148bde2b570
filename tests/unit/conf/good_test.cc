#include <doctest/doctest.h>

#include "tests/unit/conf/base.h"

namespace postern::conf {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the smallest configuration has every default") {
  const Config config = config_of("");
  Config expected;
  expected.server.name = "host.example";
  expected.tls.certificates = {{"tls.crt", "tls.key"}};
  Listener listener;
  listener.name = "imaps";
  listener.addresses = {*Endpoint::parse("0.0.0.0:993")};
  expected.listeners = {listener};
  Route route;
  route.pool = "store";
  expected.routes = {route};
  Pool pool;
  pool.name = "store";
  pool.backends = {{"s1", "10.1.0.11"}};
  expected.pools = {pool};
  CHECK(config == expected);
}

TEST_CASE("every value arrives where it belongs") {
  const Config config = config_of(R"(
[server]
name = "mx.example"
workers = 4
user = "mail"
drain = { wait = "1s", spread = "2s", deadline = "3s" }
[log]
level = "debug"
format = "json"
target = "/var/log/postern.log"
[limits]
sessions = 1
sessions_per_address = 2
sessions_per_user = 3
prelogin_per_address = 4
login_time = "5s"
login_attempts = 6
bad_commands = 7
failure_delay = "8s"
failure_delay_max = "9s"
idle = "10s"
line = "11KiB"
literal = "1200"
[tls]
certificates = [{ chain = "a", key = "b" }, { chain = "c", key = "d" }]
minimum = "1.3"
ticket_seed_file = "seed"
client_ca = ""
[listen.pop]
protocol = "pop3"
address = ["192.0.2.1:110", "[2001:db8::1]:110"]
tls = "starttls"
proxy_protocol = ["10.0.0.0/8"]
trusted = ["192.0.2.0/24", "2001:db8::/32"]
[auth]
by = "passwd"
mechanisms = ["login"]
passwd_file = "pw"
[[route]]
user = "/^a/"
listener = "pop"
server_name = "*.example"
pool = "two"
backend = "b2"
[pool.two]
balance = "least"
data = "partitioned"
tls = "starttls"
verify = false
imap_port = 1143
pop3_port = 1110
forward = ["proxy_v2"]
login = "master"
master_user = "root"
master_password_file = "mpw"
backends = { b1 = "a.example", b2 = { host = "::1", weight = 0, priority = 9 } }
time = { connect = "1ms", login = "2ms" }
limits = { sessions = 5, pending_logins = 6 }
[pool.two.health]
check = "connect"
interval = "3ms"
timeout = "4ms"
fall = 5
rise = 6
eject = { errors = 7, base = "8s", max = "9s", percent = 10 }
[admin]
http = "[::1]:80"
socket = ""
)");
  Config expected;
  expected.server = {"mx.example", 4, "mail", {1s, 2s, 3s}};
  expected.log = {LogLevel::Debug, LogFormat::Json, "/var/log/postern.log"};
  expected.limits = {1, 2, 3, 4, 5s, 6, 7, 8s, 9s, 10s, 11264, 1200};
  expected.tls = {{{"a", "b"}, {"c", "d"}}, TlsVersion::V1_3, "seed"};
  Listener listener;
  listener.name = "pop";
  listener.protocol = Protocol::Pop3;
  listener.addresses = {*Endpoint::parse("192.0.2.1:110"), *Endpoint::parse("[2001:db8::1]:110")};
  listener.tls = ListenTls::StartTls;
  listener.proxy_protocol = {*Network::parse("10.0.0.0/8")};
  listener.trusted = {*Network::parse("192.0.2.0/24"), *Network::parse("2001:db8::/32")};
  expected.listeners = {listener};
  expected.auth.by = AuthBy::Passwd;
  expected.auth.mechanisms = {Mechanism::Login};
  expected.auth.passwd_file = "pw";
  expected.routes = {{"/^a/", "pop", "*.example", "two", "b2"}};
  Pool pool;
  pool.name = "two";
  pool.balance = Balance::Least;
  pool.data = Data::Partitioned;
  pool.tls = StoreTls::StartTls;
  pool.verify = false;
  pool.imap_port = 1143;
  pool.pop3_port = 1110;
  pool.forward = {.id = false, .xclient = false, .proxy_v1 = false, .proxy_v2 = true};
  pool.login = LoginAs::Master;
  pool.master_user = "root";
  pool.master_password_file = "mpw";
  pool.backends = {{"b1", "a.example", 100, 0}, {"b2", "::1", 0, 9}};
  pool.time = {1ms, 2ms};
  pool.health = {HealthCheck::Connect, 3ms, 4ms, 5, 6, {7, 8s, 9s, 10}};
  pool.limits = {5, 6};
  expected.pools = {pool};
  expected.admin.http = Endpoint::parse("[::1]:80");
  CHECK(config == expected);
}

TEST_CASE("every value of a service arrives where it belongs") {
  const std::string tls = "[tls]\nclient_ca = \"ca\"\ncertificates = [{ chain = \"a\", key = \"b\" }]\n";
  const Config config = config_of(tls + R"(
[auth]
by = "http"
mechanisms = ["external", "xoauth2", "oauthbearer"]
allowed_hosts = ["10.0.0.0/8"]
certificate_name = "common_name"
master_separator = "*"
[auth.http]
url = "https://auth.example/login?site=1"
timeout = "1s"
in_flight = 2
ca_file = "http-ca"
escape = "nginx"
headers = { X-Second = "2", X-First = "1" }
pass_certificate = true
[auth.policy]
url = "https://[::1]:8084"
key_file = "key"
nonce = "n"
timeout = "3s"
in_flight = 4
ca_file = "policy-ca"
reject_on_failure = true
[pool.store]
tls = "starttls"
ca_file = "store-ca"
backends = { s1 = "a" }
)");
  CHECK(config.tls.client_ca == "ca");
  CHECK(config.pools[0].ca_file == "store-ca");
  Auth expected;
  expected.by = AuthBy::Http;
  expected.mechanisms = {Mechanism::External, Mechanism::XOAuth2, Mechanism::OAuthBearer};
  expected.allowed_hosts = {*Network::parse("10.0.0.0/8")};
  expected.certificate_name = CertificateName::CommonName;
  expected.master_separator = "*";
  expected.http = {{true, "auth.example", 443, "/login?site=1"}, 1s,  2, "http-ca", HttpSource::Escape::Nginx,
                   {{"X-Second", "2"}, {"X-First", "1"}},        true};
  expected.policy = {{true, "::1", 8084, "/"}, "key", "n", 3s, 4, "policy-ca", true};
  CHECK(config.auth == expected);
}

TEST_CASE("Dovecot's socket is a path, or a host and a port") {
  const auto with = [](const std::string& socket) {
    return config_of("[auth]\nby = \"dovecot\"\n[auth.dovecot]\nsocket = \"" + socket +
                     "\"\ntimeout = \"1s\"\nin_flight = 2\n")
        .auth.dovecot;
  };
  CHECK(with("/run/a") == DovecotSource{"/run/a", "", 0, 1s, 2});
  CHECK(with("auth.example:9000") == DovecotSource{"", "auth.example", 9000, 1s, 2});
  CHECK(with("192.0.2.1:9000") == DovecotSource{"", "192.0.2.1", 9000, 1s, 2});
  CHECK(with("[2001:db8::1]:9000") == DovecotSource{"", "2001:db8::1", 9000, 1s, 2});
}

TEST_CASE("mechanisms that Dovecot checks are relayed by their names, and \"all\" relays the others") {
  const auto with = [](const std::string& mechanisms) {
    return config_of("[auth]\nby = \"dovecot\"\ndovecot.socket = \"/a\"\nmechanisms = " + mechanisms).auth;
  };
  const Auth named = with(
      R"(["cram-md5", "plain", "digest-md5", "scram-sha-1", "scram-sha-256", "gssapi", "otp", "xoauth2"])");
  CHECK(named.mechanisms == std::vector{Mechanism::Plain, Mechanism::XOAuth2});
  CHECK(named.relayed ==
        std::vector<std::string>{"CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "GSSAPI", "OTP"});
  CHECK_FALSE(named.relay_all);
  const Auth all = with(R"(["all"])");
  CHECK(all.mechanisms.empty());
  CHECK(all.relayed.empty());
  CHECK(all.relay_all);
}

TEST_CASE("maps arrive where they belong") {
  const Config config = config_of(R"(
[map.b.redis]
address = "redis.example:6380"
key = "{user}"
user = "u"
password_file = "pw"
database = 3
timeout = "4s"
in_flight = 5
[map.b.cache]
entries = 6
found = "7s"
missing = "8s"
[map.a]
file = "users"
[map.c]
redis.address = "/run/redis.sock"
[[route]]
map = "a"
[[route]]
map = "b"
[[route]]
pool = "store"
)");
  Map b;
  b.name = "b";
  b.redis = {"redis.example", 6380, "", "{user}", "u", "pw", 3, 4s, 5};
  b.cache = {6, 7s, 8s};
  Map a;
  a.name = "a";
  a.file = "users";
  Map c;
  c.name = "c";
  c.redis = Map::Redis{.host = "", .port = 0, .path = "/run/redis.sock", .user = {}, .password_file = {}};
  CHECK(config.maps == std::vector{b, a, c});
  REQUIRE(config.routes.size() == 3);
  CHECK(config.routes[0].map == "a");
  CHECK(config.routes[0].pool.empty());
  CHECK(config.routes[1].map == "b");
  CHECK(config.routes[2].pool == "store");
}

TEST_CASE("what is written of a URL, and what is not") {
  const auto with = [](const std::string& url) {
    return config_of("[auth]\nby = \"http\"\nhttp = { url = \"" + url + "\" }").auth.http->url;
  };
  CHECK(with("http://a") == Url{false, "a", 80, "/"});
  CHECK(with("https://a") == Url{true, "a", 443, "/"});
  CHECK(with("http://a?b=c/d") == Url{false, "a", 80, "/?b=c/d"});
  CHECK(with("https://a:80/b/c?d=e@f:g") == Url{true, "a", 80, "/b/c?d=e@f:g"});
  CHECK(with("http://[::1]/") == Url{false, "::1", 80, "/"});
  CHECK(with("http://127.0.0.1:65535/%20") == Url{false, "127.0.0.1", 65535, "/%20"});
}

TEST_CASE("external may be offered where somebody believes the certificate") {
  const std::string tls = "[tls]\nclient_ca = \"ca\"\ncertificates = [{ chain = \"a\", key = \"b\" }]\n";
  const std::string master =
      "[pool.store]\nlogin = \"master\"\nmaster_user = \"m\"\nmaster_password_file = "
      "\"p\"\nbackends = { a = \"a\" }\n";
  const std::string external = "mechanisms = [\"external\"]\n";
  CHECK(problems_of(tls + "[auth]\nby = \"passwd\"\npasswd_file = \"p\"\n" + external + master) == "");
  CHECK(problems_of(tls + "[auth]\nby = \"http\"\nhttp.url = \"http://a/\"\n" + external) == "");
  CHECK(problems_of(tls + "[auth]\nby = \"dovecot\"\ndovecot.socket = \"/a\"\n" + external) == "");
}

TEST_CASE("tokens pass to the store that checks them") {
  const Config config = config_of("[auth]\nmechanisms = [\"xoauth2\", \"oauthbearer\"]");
  CHECK(config.auth.mechanisms == std::vector{Mechanism::XOAuth2, Mechanism::OAuthBearer});
}

TEST_CASE("every word of a choice is its enumerator") {
  const auto with = [](const std::string& table, const std::string& key, const std::string& word) {
    std::string text = "[" + table + "]\n" + key + " = \"" + word + "\"\n";
    if (table == "listen.x") text += "protocol = \"imap\"\naddress = [\"127.0.0.1:1\"]\n";
    if (table.starts_with("pool.store")) text += "[pool.store.backends]\ns1 = \"a\"\n";
    if (word == "tls") text += "[pool.store]\ntls = \"starttls\"\n";
    return config_of(text);
  };
  CHECK(with("log", "level", "debug").log.level == LogLevel::Debug);
  CHECK(with("log", "level", "info").log.level == LogLevel::Info);
  CHECK(with("log", "level", "warn").log.level == LogLevel::Warn);
  CHECK(with("log", "level", "error").log.level == LogLevel::Error);
  CHECK(with("log", "format", "logfmt").log.format == LogFormat::Logfmt);
  CHECK(with("log", "format", "json").log.format == LogFormat::Json);
  CHECK(with("listen.x", "tls", "implicit").listeners[0].tls == ListenTls::Implicit);
  CHECK(with("listen.x", "tls", "starttls").listeners[0].tls == ListenTls::StartTls);
  CHECK(with("listen.x", "tls", "none").listeners[0].tls == ListenTls::None);
  CHECK(with("pool.store", "balance", "hash").pools[0].balance == Balance::Hash);
  CHECK(with("pool.store", "balance", "least").pools[0].balance == Balance::Least);
  CHECK(with("pool.store", "balance", "round_robin").pools[0].balance == Balance::RoundRobin);
  CHECK(with("pool.store", "data", "shared").pools[0].data == Data::Shared);
  CHECK(with("pool.store", "data", "replicated").pools[0].data == Data::Replicated);
  CHECK(with("pool.store", "data", "partitioned").pools[0].data == Data::Partitioned);
  CHECK(with("pool.store", "tls", "none").pools[0].tls == StoreTls::None);
  CHECK(with("pool.store", "tls", "starttls").pools[0].tls == StoreTls::StartTls);
  CHECK(with("pool.store", "tls", "implicit").pools[0].tls == StoreTls::Implicit);
  CHECK(with("pool.store.health", "check", "connect").pools[0].health.check == HealthCheck::Connect);
  CHECK(with("pool.store.health", "check", "tls").pools[0].health.check == HealthCheck::Tls);
  CHECK(with("pool.store.health", "check", "greeting").pools[0].health.check == HealthCheck::Greeting);
}

TEST_CASE("lists keep the file's order and replace the default") {
  const Config config = config_of("[auth]\nmechanisms = [\"login\", \"plain\"]\n");
  CHECK(config.auth.mechanisms == std::vector{Mechanism::Login, Mechanism::Plain});
  const Forward none{.id = false, .xclient = false, .proxy_v1 = false, .proxy_v2 = false};
  CHECK(config_of("[pool.store]\nforward = []\nbackends = { a = \"a\" }\n").pools[0].forward == none);
}

TEST_CASE("where the store decides, it may decide who acts as whom") {
  CHECK(config_of("[pool.store]\nauthorization = true\nbackends = { a = \"a\" }\n").pools[0].authorization);
}

TEST_CASE("either PROXY header may be sent") {
  for (const std::string word : {"proxy_v1", "proxy_v2"}) {
    const Forward forward =
        config_of("[pool.store]\nforward = [\"" + word + "\"]\nbackends = { a = \"a\" }\n").pools[0].forward;
    CHECK(forward.proxy_v1 == (word == "proxy_v1"));
    CHECK(forward.proxy_v2 == (word == "proxy_v2"));
  }
}

TEST_CASE("durations that must not be longer than another may be as long") {
  CHECK(config_of("[server.drain]\nspread = \"60s\"").server.drain.spread == 60s);
  CHECK(config_of("[limits]\nfailure_delay = \"0s\"\nfailure_delay_max = \"0s\"").limits.failure_delay == 0s);
  const Config config =
      config_of("[pool.store]\nhealth.eject = { base = \"5m\" }\nbackends = { a = \"a\" }\n");
  CHECK(config.pools[0].health.eject.base == 300s);
}

TEST_CASE("listeners, pools and backends are in the file's order, however their tables are written") {
  const Config config = config_of(R"(
[pool.z.time]
connect = "1s"
[listen.y]
protocol = "imap"
address = ["127.0.0.1:1"]
[pool.b.backends]
s9 = "a"
s10 = "b"
[listen.x]
protocol = "pop3"
address = ["127.0.0.1:2"]
[pool.z]
backends.c = "c"
backends.a.host = "d"
[[route]]
pool = "z"
[[route]]
pool = "b"
)");
  REQUIRE(config.pools.size() == 2);
  CHECK(config.pools[0].name == "z");
  CHECK(config.pools[0].time.connect == 1s);
  CHECK(config.pools[0].backends == std::vector<Backend>{{"c", "c"}, {"a", "d"}});
  CHECK(config.pools[1].backends == std::vector<Backend>{{"s9", "a"}, {"s10", "b"}});
  REQUIRE(config.listeners.size() == 2);
  CHECK(config.listeners[0].name == "y");
  CHECK(config.listeners[1].name == "x");
  CHECK(config.routes[0].pool == "z");
  CHECK(config.routes[1].pool == "b");
}

TEST_CASE("a pool with implicit TLS has the ports of implicit TLS unless others are written") {
  Config config = config_of("[pool.store]\ntls = \"implicit\"\nbackends = { a = \"a\" }\n");
  CHECK(config.pools[0].imap_port == 993);
  CHECK(config.pools[0].pop3_port == 995);
  config = config_of("[pool.store]\ntls = \"implicit\"\nimap_port = 143\nbackends = { a = \"a\" }\n");
  CHECK(config.pools[0].imap_port == 143);
  CHECK(config.pools[0].pop3_port == 995);
  config = config_of(
      "[pool.\"a.b\"]\ntls = \"implicit\"\npop3_port = 1\nbackends = { a = \"a\" }\n[[route]]\npool = "
      "\"a.b\"");
  CHECK(config.pools[0].imap_port == 993);
  CHECK(config.pools[0].pop3_port == 1);
}

TEST_CASE("the server's name is what is written, else the machine's, else localhost") {
  Environment environment = bare_environment();
  CHECK(config_of("[server]\nname = \"a.example\"", environment).server.name == "a.example");
  CHECK(config_of("[server]\nname = \"\"", environment).server.name == "host.example");
  environment.host_name.clear();
  CHECK(config_of("", environment).server.name == "localhost");
}

TEST_CASE("an empty admin address is no admin port") {
  CHECK(config_of("").admin.http == Endpoint::parse("127.0.0.1:9993"));
  CHECK_FALSE(config_of("[admin]\nhttp = \"\"").admin.http);
}

TEST_CASE("no certificate is needed when no listener has TLS") {
  const Config config = config_of(R"(# alone
[listen.a]
protocol = "imap"
address = ["127.0.0.1:143", "[::1]:143", "127.9.9.9:143"]
tls = "none"
[[route]]
pool = "store"
[pool.store.backends]
a = "a"
)");
  CHECK(config.tls.certificates.empty());
}

TEST_CASE("no route is needed when the source of identity names pools") {
  for (const std::string by :
       {"by = \"passwd\"\npasswd_file = \"pw\"", "by = \"http\"\nhttp.url = \"http://a/\"",
        "by = \"dovecot\"\ndovecot.socket = \"/a\""}) {
    CAPTURE(by);
    const Config config = config_of("# alone\n[auth]\n" + by + R"(
[listen.a]
protocol = "imap"
address = ["127.0.0.1:143"]
tls = "none"
[pool.store.backends]
a = "a"
)");
    CHECK(config.routes.empty());
  }
}

TEST_CASE("a backend is any address or host name") {
  for (const std::string host : {"10.0.0.1", "::1", "2001:db8::1", "store", "s-1.mail.example", "s.example.",
                                 "_imap._tcp.x", "3com.example", "xn--bcher-kva.example"}) {
    CAPTURE(host);
    const Config config = config_of("[pool.store.backends]\na = \"" + std::string(host) + "\"");
    CHECK(config.pools[0].backends[0].host == host);
  }
}

TEST_CASE("CRLF, a byte order mark and comments change nothing") {
  const Config plain = config_of("[server]\nworkers = 2\n");
  CHECK(config_of("\xef\xbb\xbf# c\r\n[server]\r\nworkers = 2 # d\r\n") == plain);
}

TEST_CASE("the limits of a range are in it") {
  CHECK(config_of("[server]\nworkers = 256").server.workers == 256);
  CHECK(config_of("[limits]\nsessions = 1000000").limits.sessions == 1'000'000);
  CHECK(config_of("[limits]\nidle = \"1s\"").limits.idle == 1s);
  CHECK(config_of("[limits]\nidle = \"168h\"").limits.idle == 168h);
  CHECK(config_of("[limits]\nline = \"512\"").limits.line == 512);
  CHECK(config_of("[limits]\nline = \"1MiB\"").limits.line == 1024 * 1024);
  CHECK(config_of("[pool.store]\nimap_port = 65535\nbackends = { a = \"a\" }").pools[0].imap_port == 65535);
}

}  // namespace
}  // namespace postern::conf
