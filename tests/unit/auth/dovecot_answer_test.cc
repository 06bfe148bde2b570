#include "proxy/auth/dovecot_answer.h"

#include <doctest/doctest.h>

namespace postern::auth {

namespace {

using std::chrono::system_clock;
const system_clock::time_point kNow = system_clock::from_time_t(1'800'000'000);

DovecotReply reply(std::string_view fields) {
  DovecotProtocol protocol;
  protocol.receive("VERSION\t1\t2\nDONE\nOK\t1\t");
  protocol.receive(fields);
  protocol.receive("\n");
  protocol.next();
  auto event = protocol.next();
  REQUIRE(std::holds_alternative<DovecotReply>(event));
  return std::move(std::get<DovecotReply>(event));
}

Answer ok(std::string_view fields, std::uint32_t random = 0) {
  return understand_ok(reply(fields), kNow, random);
}

}  // namespace

TEST_CASE("an OK tells who it is and where to") {
  Answer answer = ok(
      "user=bob@example.org\toriginal_user=bob\tproxy\thost=store.example\tport=1143\tstarttls=any-cert\t"
      "destuser=b\tmaster=boss\tpass=p\001tw\tproxy_timeout=500ms\tproxy_nopipelining\tforward_tenant=t 1\t"
      "forward_x=y\tpool=blue\tbackend=b1\tnologin");
  REQUIRE(answer.kind == Answer::Kind::Accepted);
  CHECK(answer.refusal == Refusal{});
  const Destination& to = answer.destination;
  CHECK(to.user == "bob@example.org");
  CHECK(to.host == "store.example");
  CHECK(to.port == 1143);
  CHECK(to.tls == conf::StoreTls::StartTls);
  CHECK(to.verify == false);
  CHECK(to.store_user == "b");
  CHECK(to.master == "boss");
  CHECK(to.password == Secret("p\tw"));
  CHECK(to.timeout == Duration(500));
  CHECK(to.forward == std::vector<std::pair<std::string, std::string>>{{"tenant", "t 1"}, {"x", "y"}});
  CHECK(to.pool == "blue");
  CHECK(to.backend == "b1");
  CHECK(answer.wait == Duration(0));
  CHECK(answer.detail.empty());
}

TEST_CASE("a host is a destination only for those who are proxied") {
  CHECK(ok("user=bob\thost=10.0.0.5\tport=1\tssl=yes").destination.host.empty());
  CHECK_FALSE(ok("user=bob\thost=10.0.0.5\tssl=yes").destination.tls);
  CHECK(ok("user=bob\thost=10.0.0.5\tport=x").kind == Answer::Kind::Accepted);
  CHECK(ok("user=bob\thost=10.0.0.5\tproxy").destination.host == "10.0.0.5");
  CHECK(ok("user=bob\thost=10.0.0.5\tproxy_maybe").destination.host == "10.0.0.5");
  CHECK(ok("user=bob\tproxy").destination.host.empty());
  CHECK(ok("user=bob\tproxy\thost=s.example\thostip=10.0.0.5").destination.host == "s.example");
  CHECK(ok("user=bob\tproxy\thostip=10.0.0.5").destination.host == "10.0.0.5");
}

TEST_CASE("TLS to the store is as Dovecot means it") {
  struct Row {
    std::string fields;
    std::optional<conf::StoreTls> tls;
    std::optional<bool> verify;
  };
  const Row rows[] = {
      {"", std::nullopt, std::nullopt},
      {"\tssl", conf::StoreTls::Implicit, true},
      {"\tssl=yes", conf::StoreTls::Implicit, true},
      {"\tssl=any-cert", conf::StoreTls::Implicit, false},
      {"\tstarttls=y", conf::StoreTls::StartTls, true},
      {"\tssl=yes\tstarttls=any-cert", conf::StoreTls::StartTls, false},
      {"\tssl=any-cert\tstarttls", conf::StoreTls::StartTls, false},
      {"\tssl=no", std::nullopt, std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fields);
    const Answer answer = ok("user=b\tproxy\thost=10.0.0.5" + row.fields);
    CHECK(answer.destination.tls == row.tls);
    CHECK(answer.destination.verify == row.verify);
  }
}

TEST_CASE("an OK that makes no sense is no permission") {
  for (const std::string_view fields : {"",
                                        "user=",
                                        "pool=blue",
                                        "user=b\001nc",
                                        "user=b\tpool=x\001ry",
                                        "user=b\tdestuser=\001n",
                                        "user=b\tproxy\thost=",
                                        "user=b\tproxy\thost=10.0.0.5\thostip=10.0.0.6",
                                        "user=b\tproxy\thostip=name",
                                        "user=b\tproxy\thost=x\001ty",
                                        "user=b\tproxy\thost=x\tport=0",
                                        "user=b\tproxy\thost=x\tport=65536",
                                        "user=b\tproxy\thost=x\tport=143x",
                                        "user=b\tbackend=s1",
                                        "user=b\tproxy_timeout=soon",
                                        "user=b\tproxy_timeout=2h",
                                        "user=b\tproxy_timeout=99999999999999999999",
                                        "user=b\tproxy_timeout=3601",
                                        "user=b\tdelay_until=",
                                        "user=b\tdelay_until=1800000301",
                                        "user=b\tdelay_until=1800000010+",
                                        "user=b\tdelay_until=1800000010+9x",
                                        "user=b\tdelay_until=1800000010+301",
                                        "user=b\tdelay_until=-1"}) {
    CAPTURE(fields);
    const Answer answer = ok(fields);
    CHECK(answer.kind == Answer::Kind::Refused);
    CHECK(answer.refusal.fault == Fault::AuthProtocol);
    CHECK_FALSE(answer.detail.empty());
  }
}

TEST_CASE("nologin refuses and gives the reason") {
  const Answer answer = ok("user=bob\tnologin\treason=Moving, back at noon");
  CHECK(answer.kind == Answer::Kind::Refused);
  CHECK(answer.refusal == Refusal{Fault::AccountDisabled, "", "Moving, back at noon"});
  CHECK(ok("user=bob\tnologin\treason=a\001r\001nb OK").refusal.text.empty());
  CHECK(ok("user=bob\tnologin\thost=10.0.0.5").kind == Answer::Kind::Refused);
}

TEST_CASE("a good login can be held") {
  struct Row {
    std::string until;
    std::uint32_t random;
    Duration wait;
  };
  const Row rows[] = {
      {"1800000000", 0, Duration(0)},
      {"1799999000", 9, Duration(0)},
      {"1", 0, Duration(0)},
      {"1800000031", 0, Duration(31000)},
      {"1800000300", 0, Duration(300'000)},
      {"1800000031+10", 0, Duration(31000)},
      {"1800000031+10", 10, Duration(41000)},
      {"1800000031+10", 11, Duration(31000)},
      {"1800000031+0", 7, Duration(31000)},
      {"1799999000+5", 3, Duration(3000)},
  };
  for (const Row& row : rows) {
    CAPTURE(row.until);
    const Answer answer = ok("user=b\tdelay_until=" + row.until, row.random);
    CHECK(answer.kind == Answer::Kind::Accepted);
    CHECK(answer.wait == row.wait);
  }
  // What the store may not wait for is not cut to what it may.
  CHECK(ok("user=b\tdelay_until=1800000290+20", 20).refusal.fault == Fault::AuthProtocol);
}

TEST_CASE("intervals are Dovecot's") {
  struct Row {
    std::string text;
    std::optional<Duration> value;
  };
  const Row rows[] = {{"5", Duration(5000)},         {"500ms", Duration(500)},
                      {"2 secs", Duration(2000)},    {"2s", Duration(2000)},
                      {"1m", Duration(60000)},       {"1 minute", Duration(60000)},
                      {"7msecs", Duration(7)},       {"0", std::nullopt},
                      {"3600", Duration(3'600'000)}, {"60 mins", Duration(3'600'000)}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Answer answer = ok("user=b\tproxy_timeout=" + row.text);
    CHECK(answer.kind == Answer::Kind::Accepted);
    CHECK(answer.destination.timeout == row.value);
  }
}

TEST_CASE("what cannot be forwarded is left out, and the log says so") {
  for (const std::string_view field : {"forward_=x", "forward_aaaaaaaaaaaaaaaaaaaaa=x", "forward_a b=x",
                                       "forward_a\"=x", "forward_a=x\001ny"}) {
    CAPTURE(field);
    const Answer answer = ok(std::string("user=b\tforward_ok=1\t").append(field));
    CHECK(answer.kind == Answer::Kind::Accepted);
    CHECK(answer.destination.forward.size() == 1);
    CHECK_FALSE(answer.detail.empty());
  }
  CHECK(ok("user=b\tforward_a=" + std::string(1024, 'x')).destination.forward.size() == 1);
  CHECK(ok("user=b\tforward_a=" + std::string(1025, 'x')).destination.forward.empty());
}

TEST_CASE("a FAIL says whose fault it is") {
  struct Row {
    std::string fields;
    Fault fault;
  };
  const Row rows[] = {
      {"user=bob", Fault::BadCredentials},
      {"user=bob\ttemp", Fault::AuthUnavailable},
      {"code=temp_fail", Fault::AuthUnavailable},
      {"authz", Fault::NotAuthorized},
      {"code=authz_fail", Fault::NotAuthorized},
      {"user_disabled", Fault::AccountDisabled},
      {"code=user_disabled", Fault::AccountDisabled},
      {"pass_expired", Fault::PasswordExpired},
      {"code=pass_expired", Fault::PasswordExpired},
      {"code=invalid_base64", Fault::BadCredentials},
      {"code=mech_ssl_required", Fault::BadCredentials},
      {"code=of_the_future", Fault::BadCredentials},
      {"authz\ttemp", Fault::AuthUnavailable},
      {"user=temp\treason=authz", Fault::BadCredentials},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fields);
    const Answer answer = understand_fail(reply(row.fields));
    CHECK(answer.kind == Answer::Kind::Refused);
    CHECK(answer.refusal.fault == row.fault);
  }
  CHECK(understand_fail(reply("user=bob")).destination.user == "bob");
  CHECK(understand_fail(reply("temp\tuser=bob")).destination.user == "bob");
  CHECK(understand_fail(reply("temp")).destination.user.empty());
  CHECK(understand_fail(reply("user=b\001nob")).destination.user.empty());
  CHECK(understand_fail(reply("reason=Ask the desk")).refusal.text == "Ask the desk");
  CHECK(understand_fail(reply("reason=a\001nb")).refusal.text.empty());
}

}  // namespace postern::auth
