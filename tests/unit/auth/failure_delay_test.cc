#include "proxy/auth/failure_delay.h"

#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <vector>

namespace postern::auth {
namespace {

using namespace std::chrono_literals;

const Time kStart{std::chrono::hours(1)};
const Address kHere = *Address::parse("192.0.2.1");
const Address kThere = *Address::parse("192.0.2.2");

Duration guess(FailureDelay& delays, int number, Time now = kStart, const Address& address = kHere) {
  return delays.failed(address, "bob", Secret("guess " + std::to_string(number)), Fault::BadCredentials, now);
}

}  // namespace

TEST_CASE("the delay doubles with each new failure of an address up to the maximum") {
  FailureDelay delays(2s, 15s);
  for (const Duration expected : {2s, 4s, 8s, 15s, 15s}) {
    static int number = 0;
    CHECK(delays.next(kHere, kStart) == expected);
    CHECK(guess(delays, ++number) == expected);
  }
  for (int i = 100; i < 1'100; ++i) CHECK(guess(delays, i) == 15s);
  CHECK(guess(delays, 1, kStart, kThere) == 2s);
  CHECK(delays.size() == 2);
}

TEST_CASE("what meets an outage is paced by the base and up to half as much by chance") {
  const FailureDelay delays(2s, 15s);
  CHECK(delays.pace(0) == 2s);
  CHECK(delays.pace(0.5) == 2500ms);
  CHECK(delays.pace(1) == 3s);
  CHECK(FailureDelay(0s, 0s).pace(1) == 0s);
}

TEST_CASE("IPv6 addresses of one /64 are one") {
  FailureDelay delays(2s, 15s);
  CHECK(guess(delays, 1, kStart, *Address::parse("2001:db8::1")) == 2s);
  CHECK(guess(delays, 2, kStart, *Address::parse("2001:db8::ffff:2")) == 4s);
  CHECK(guess(delays, 3, kStart, *Address::parse("2001:db8:0:1::1")) == 2s);
}

TEST_CASE("the same user and password again count once, as long as they are among the last ten") {
  FailureDelay delays(2s, 15s);
  for (int i = 0; i < 100; ++i) CHECK(guess(delays, 1) == 2s);
  CHECK(guess(delays, 2) == 4s);
  CHECK(guess(delays, 1) == 4s);
  CHECK(delays.failed(kHere, "alice", Secret("guess 1"), Fault::BadCredentials, kStart) == 8s);
  CHECK(guess(delays, 1) == 8s);

  FailureDelay others(1ms, 1h);
  for (int i = 1; i <= 11; ++i) guess(others, i);
  CHECK(others.next(kHere, kStart) == 2048ms);
  CHECK(guess(others, 2) == 1024ms);  // still remembered
  CHECK(guess(others, 1) == 2048ms);  // the eleventh has pushed it out
}

TEST_CASE("what nobody can tell from another guess counts each time, and pushes no other out") {
  FailureDelay delays(2s, 15s);
  CHECK(guess(delays, 1) == 2s);
  for (const Duration expected : {4s, 8s, 15s, 15s}) {
    CHECK(delays.failed(kHere, Fault::BadCredentials, kStart) == expected);
  }
  for (int i = 0; i < 20; ++i) delays.failed(kHere, Fault::BadCredentials, kStart);
  CHECK(guess(delays, 1) == 15s);
  CHECK(delays.failed(kThere, Fault::AuthUnavailable, kStart) == 0s);
  CHECK(delays.next(kThere, kStart) == 2s);
}

TEST_CASE("failures are forgotten when the address has had none for a while") {
  FailureDelay delays(2s, 15s);
  guess(delays, 1);
  guess(delays, 2);
  CHECK(delays.next(kHere, kStart + 29s) == 8s);
  CHECK(delays.next(kHere, kStart + 30s) == 2s);
  CHECK(guess(delays, 3, kStart + 30s) == 2s);

  FailureDelay longer(2s, 60s);
  guess(longer, 1);
  CHECK(longer.next(kHere, kStart + 119s) == 4s);
  CHECK(longer.next(kHere, kStart + 120s) == 2s);
}

TEST_CASE("a phone with a wrong password neither locks its neighbours out nor keeps their failures alive") {
  FailureDelay delays(2s, 15s);
  for (int minute = 0; minute < 60; ++minute) {
    CHECK(guess(delays, 1, kStart + std::chrono::minutes(minute)) == 2s);
  }
  Time now = kStart + 2h;
  guess(delays, 1, now);
  guess(delays, 2, now);
  CHECK(guess(delays, 1, now + 20s) == 4s);
  CHECK(guess(delays, 1, now + 40s) == 2s);
}

TEST_CASE("only what is a guess counts") {
  FailureDelay delays(2s, 15s);
  for (std::size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    CAPTURE(postern::name_of(fault));
    const Secret password("secret " + std::to_string(i));
    const Address address = *Address::parse("192.0.2." + std::to_string(i));
    const bool counts = fault == Fault::BadCredentials || fault == Fault::NoRoute ||
                        fault == Fault::NotAuthorized || fault == Fault::PolicyRefused;
    CHECK(delays.failed(address, "bob", password, fault, kStart) == (counts ? 2s : 0s));
    CHECK(delays.next(address, kStart) == (counts ? 4s : 2s));
  }
  CHECK(delays.size() == 4);
}

TEST_CASE("the table never grows beyond its capacity, and forgets the oldest first") {
  FailureDelay delays(2s, 15s, 100);
  const auto numbered = [](int i) {
    return *Address::parse("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
  };
  for (int i = 0; i < 1'000; ++i) guess(delays, i, kStart, numbered(i));
  CHECK(delays.size() == 100);
  CHECK(delays.next(numbered(899), kStart) == 2s);
  CHECK(delays.next(numbered(900), kStart) == 4s);
  guess(delays, -1, kStart, numbered(900));
  guess(delays, 1, kStart, numbered(0));
  CHECK(delays.next(numbered(900), kStart) == 8s);
  CHECK(delays.next(numbered(901), kStart) == 2s);
  guess(delays, 1, kStart + 31s, kHere);
  CHECK(delays.size() == 1);
}

TEST_CASE("delays can be switched off and changed") {
  FailureDelay delays(0s, 0s);
  for (int i = 0; i < 5; ++i) CHECK(guess(delays, i) == 0s);
  delays.set(1s, 4s);
  CHECK(guess(delays, 6) == 4s);
  FailureDelay odd(5s, 1s);
  CHECK(guess(odd, 1) == 5s);
  CHECK(guess(odd, 2) == 5s);
}

TEST_CASE("threads share the table") {
  FailureDelay delays(1ms, 1h, 16);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&delays, thread] {
      for (int i = 0; i < 1'000; ++i) {
        guess(delays, i, kStart, *Address::parse("10.0.0." + std::to_string((i * 3 + thread) % 40)));
        delays.next(kHere, kStart);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(delays.size() == 16);
}

}  // namespace postern::auth
