#include "proxy/pool/backend.h"

#include <doctest/doctest.h>

#include "tests/unit/pool/world.h"

namespace postern::pool {

TEST_CASE("a session ticket counts until it dies, wherever it has been moved") {
  const Pool pool(pool_of(1), nullptr, kStart);
  const Backend& backend = pool.backends()[0];
  auto ticket = open_session(backend);
  REQUIRE(ticket);
  CHECK(backend.sessions() == 1);
  {
    const SessionTicket moved = std::move(*ticket);
    CHECK(backend.sessions() == 1);
    ticket.reset();
    CHECK(backend.sessions() == 1);
  }
  CHECK(backend.sessions() == 0);
}

TEST_CASE("assigning over a ticket gives the old one back in the end") {
  const Pool pool(pool_of(2), nullptr, kStart);
  SessionTicket held = *open_session(pool.backends()[0]);
  held = *open_session(pool.backends()[1]);
  CHECK(pool.backends()[0].sessions() == 0);
  CHECK(pool.backends()[1].sessions() == 1);
  held = SessionTicket();
  CHECK(pool.backends()[1].sessions() == 0);
}

TEST_CASE("the limits of sessions and of logins in flight hold") {
  conf::Pool settings = pool_of(1);
  settings.limits = {.sessions = 2, .pending_logins = 1};
  const Pool pool(settings, nullptr, kStart);
  const Backend& backend = pool.backends()[0];

  auto first = open_session(backend);
  CHECK_FALSE(backend.full());
  const auto second = open_session(backend);
  CHECK(backend.full());
  CHECK_FALSE(open_session(backend));
  first.reset();
  CHECK(open_session(backend));

  auto login = begin_login(backend);
  REQUIRE(login);
  CHECK_FALSE(begin_login(backend));
  login.reset();
  CHECK(begin_login(backend));
}

TEST_CASE("a limit of 0 is none") {
  conf::Pool settings = pool_of(1);
  settings.limits = {.sessions = 0, .pending_logins = 0};
  const Pool pool(settings, nullptr, kStart);
  std::vector<SessionTicket> sessions;
  std::vector<LoginTicket> logins;
  for (int i = 0; i < 1'000; ++i) {
    sessions.push_back(*open_session(pool.backends()[0]));
    logins.push_back(*begin_login(pool.backends()[0]));
  }
  CHECK_FALSE(pool.backends()[0].full());
}

TEST_CASE("a backend knows its ports") {
  conf::Pool settings = pool_of(1);
  settings.imap_port = 10143;
  settings.pop3_port = 10110;
  const Pool pool(settings, nullptr, kStart);
  CHECK(pool.backends()[0].port(Protocol::Imap) == 10143);
  CHECK(pool.backends()[0].port(Protocol::Pop3) == 10110);
}

TEST_CASE("over a reload, counts and health stay with pool, name and host") {
  conf::Pool settings = pool_of(3);
  auto before = std::make_unique<Pool>(settings, nullptr, kStart);
  SessionTicket kept = *open_session(*before->find("s1"));
  SessionTicket lost = *open_session(*before->find("s2"));
  mark(*before, "s1", false);
  mark(*before, "s2", false);

  settings.backends[0].weight = 7;
  settings.backends[1].host = "elsewhere.example";
  settings.backends.push_back(member("s4"));
  const Pool after(settings, before.get(), kStart + 1h);
  before.reset();

  CHECK(after.find("s1")->weight() == 7);
  CHECK(after.find("s1")->sessions() == 1);
  CHECK_FALSE(after.find("s1")->health().up());
  CHECK(after.find("s2")->sessions() == 0);
  CHECK(after.find("s2")->health().up());
  CHECK(after.find("s4")->health().up());
  kept = SessionTicket();
  CHECK(after.find("s1")->sessions() == 0);
}

}  // namespace postern::pool
