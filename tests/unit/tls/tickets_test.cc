#include "proxy/tls/tickets.h"

#include <atomic>
#include <doctest/doctest.h>

#include "tests/unit/tls/authority.h"
#include "tests/unit/tls/loopback.h"

namespace postern::tls {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// A clock that stands until it is moved.
struct Hands {
  std::chrono::system_clock::time_point now{std::chrono::seconds(1'800'000'000)};
  Clock clock() {
    return [this] { return now; };
  }
};

std::string seed_file(const std::string& name, const std::string& seed) {
  return authority().folder().write(name, seed);
}
const std::string kSeedA(32, 'a');
const std::string kSeedB(32, 'b');

std::vector<std::uint8_t> seal(const TicketKeys& keys, const std::vector<std::uint8_t>& session) {
  std::vector<std::uint8_t> out(session.size() + TicketKeys::kOverhead);
  const auto size = keys.seal(session, out);
  REQUIRE(size == out.size());
  return out;
}

bool opens(const TicketKeys& keys, const std::vector<std::uint8_t>& ticket,
           const std::vector<std::uint8_t>& session) {
  std::vector<std::uint8_t> out(ticket.size());
  const auto size = keys.open(ticket, out);
  if (!size) return false;
  out.resize(*size);
  CHECK(out == session);
  return true;
}

const std::vector<std::uint8_t> kSession(300, 7);

TEST_CASE("a ticket opens for its lifetime and one epoch of clock difference each way") {
  Hands hands;
  const auto keys = TicketKeys::from_file(seed_file("a.seed", kSeedA), hands.clock());
  REQUIRE(keys.has_value());
  const auto start = hands.now;
  const auto ticket = seal(*keys, kSession);
  for (const auto& [move, expected] : {std::pair{hours(0), true},
                                       {hours(1), true},
                                       {hours(12), true},
                                       {hours(13), true},
                                       {hours(14), false},
                                       {hours(15), false},
                                       {hours(24 * 365 * 50), false},
                                       {hours(-1), true},
                                       {hours(-2), false}}) {
    CAPTURE(move.count());
    hands.now = start + move;
    CHECK(opens(*keys, ticket, kSession) == expected);
  }
}

TEST_CASE("tickets differ though session and hour are the same, and no byte of one may change") {
  Hands hands;
  const auto keys = TicketKeys::from_file(seed_file("a.seed", kSeedA), hands.clock());
  auto ticket = seal(*keys, kSession);
  CHECK(ticket != seal(*keys, kSession));
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    ticket[i] ^= 1;
    CHECK_FALSE(opens(*keys, ticket, kSession));
    ticket[i] ^= 1;
  }
  for (std::size_t size = 0; size < ticket.size(); ++size) {
    CHECK_FALSE(opens(*keys, {ticket.begin(), ticket.begin() + static_cast<std::ptrdiff_t>(size)}, kSession));
  }
  CHECK(opens(*keys, ticket, kSession));
}

TEST_CASE("seal and open work in place") {
  Hands hands;
  const auto keys = TicketKeys::from_file(seed_file("a.seed", kSeedA), hands.clock());
  std::vector<std::uint8_t> buffer = kSession;
  buffer.resize(kSession.size() + TicketKeys::kOverhead);
  REQUIRE(keys->seal(std::span(buffer).first(kSession.size()), buffer) == buffer.size());
  REQUIRE(keys->open(buffer, buffer) == kSession.size());
  buffer.resize(kSession.size());
  CHECK(buffer == kSession);
}

TEST_CASE("the same seed opens, another does not; line ends behind a seed do not count") {
  Hands hands;
  const auto first = TicketKeys::from_file(seed_file("a.seed", kSeedA), hands.clock());
  const auto same = TicketKeys::from_file(seed_file("a2.seed", kSeedA + "\r\n"), hands.clock());
  const auto other = TicketKeys::from_file(seed_file("b.seed", kSeedB), hands.clock());
  const auto ticket = seal(*first, kSession);
  CHECK(opens(*same, ticket, kSession));
  CHECK_FALSE(opens(*other, ticket, kSession));
  CHECK_FALSE(opens(TicketKeys::of_process(hands.clock()), ticket, kSession));
  CHECK(opens(TicketKeys::of_process({}), seal(TicketKeys::of_process({}), kSession), kSession));
}

TEST_CASE("a seed that is missing or short is refused with its name") {
  const auto path = seed_file("short.seed", std::string(31, 'a') + "\n");
  const auto keys = TicketKeys::from_file(path, {});
  REQUIRE_FALSE(keys.has_value());
  CHECK(keys.error() == path + ": a ticket seed has at least 32 bytes, and this one has 31");
  const auto context =
      ServerContext::create({.certificates = {authority().issue({})}, .ticket_seed_file = "/nowhere/seed"});
  REQUIRE_FALSE(context.has_value());
  CHECK(context.error() == "/nowhere/seed: No such file or directory");
}

// The session of a handshake with `context`, which resumes `offer` when there is one; says whether it
// resumed.
struct Visit {
  bool resumed;
  bssl::UniquePtr<SSL_SESSION> session;
};
Visit visit(ServerContext& context, SSL_CTX* raw, SSL_SESSION* offer, const char* name = "mail.example.org",
            Protocol protocol = Protocol::Imap) {
  RawEnd end(raw);
  SSL_set_tlsext_host_name(end.ssl(), name);
  if (offer != nullptr) REQUIRE(SSL_set_session(end.ssl(), offer) == 1);
  Stream front = context.accept(protocol);
  REQUIRE(meet(end, front).done());
  std::string to_client;
  std::string to_server;
  REQUIRE(front.encrypt("* OK\r\n", to_client) == Status::Done);
  CHECK(end.decrypt(to_client, to_server) == "* OK\r\n");
  CHECK(front.agreement().resumed == (SSL_session_reused(end.ssl()) == 1));
  return {front.agreement().resumed, std::move(end.session)};
}

std::shared_ptr<ServerContext> context_of(const std::string& seed, Hands& hands) {
  static const CertificateFiles files = authority().issue({});
  const auto path = seed.empty() ? "" : seed_file("context.seed", seed);
  auto context =
      ServerContext::create({.certificates = {files}, .ticket_seed_file = path, .clock = hands.clock()});
  REQUIRE(context.has_value());
  return *context;
}

TEST_CASE("sessions resume on every server with the seed, for the lifetime, under their name and protocol") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    Hands hands;
    const auto raw = raw_client_context(version);
    const auto a = context_of(kSeedA, hands);
    const auto replica = context_of(kSeedA, hands);
    const auto b = context_of(kSeedB, hands);
    const Visit first = visit(*a, raw.get(), nullptr);
    CHECK_FALSE(first.resumed);
    REQUIRE(first.session != nullptr);
    CHECK(visit(*a, raw.get(), first.session.get()).resumed);
    CHECK(visit(*replica, raw.get(), first.session.get()).resumed);
    CHECK_FALSE(visit(*b, raw.get(), first.session.get()).resumed);
    CHECK_FALSE(visit(*context_of("", hands), raw.get(), first.session.get()).resumed);
    CHECK_FALSE(visit(*a, raw.get(), first.session.get(), "other.example.org").resumed);
    CHECK_FALSE(visit(*a, raw.get(), first.session.get(), "mail.example.org", Protocol::Pop3).resumed);

    hands.now += hours(12);
    CHECK(visit(*replica, raw.get(), first.session.get()).resumed);
    hands.now += hours(2);
    CHECK_FALSE(visit(*replica, raw.get(), first.session.get()).resumed);
  }
}

TEST_CASE("without a seed sessions survive a new context of the process") {
  Hands hands;
  const auto raw = raw_client_context();
  const Visit first = visit(*context_of("", hands), raw.get(), nullptr);
  CHECK(visit(*context_of("", hands), raw.get(), first.session.get()).resumed);
}

TEST_CASE("a resumed TLS 1.3 session brings a new ticket, and each handshake brings one") {
  static int tickets = 0;
  Hands hands;
  const auto context = context_of(kSeedA, hands);
  const auto raw = raw_client_context();
  SSL_CTX_sess_set_new_cb(raw.get(), [](SSL* ssl, SSL_SESSION* session) {
    ++tickets;
    static_cast<RawEnd*>(SSL_get_app_data(ssl))->session.reset(session);
    return 1;
  });
  Visit last = visit(*context, raw.get(), nullptr);
  CHECK(tickets == 1);
  for (int i = 0; i < 3; ++i) {
    last = visit(*context, raw.get(), last.session.get());
    CHECK(last.resumed);
    CHECK(tickets == 2 + i);
  }
}

TEST_CASE("a session's lifetime is that of the keys") {
  Hands hands;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto raw = raw_client_context(version);
    const Visit first = visit(*context_of(kSeedA, hands), raw.get(), nullptr);
    REQUIRE(first.session != nullptr);
    CHECK(SSL_SESSION_get_timeout(first.session.get()) <=
          std::chrono::seconds(TicketKeys::kLifetime).count());
  }
}

}  // namespace
}  // namespace postern::tls
