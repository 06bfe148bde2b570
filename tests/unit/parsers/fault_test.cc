#include "parsers/fault.h"

#include <doctest/doctest.h>
#include <set>
#include <string>

using namespace postern;

namespace {

template <class Check>
void for_each_row(Check check) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    const FaultRow& row = describe(static_cast<Fault>(i));
    CAPTURE(row.name);
    check(row);
  }
}

bool is_code(std::string_view code) {
  return code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-/") == std::string_view::npos;
}

}  // namespace

TEST_CASE("every fault has its row, a name of its own, and a text that can stand in a line") {
  std::set<std::string_view> names;
  for_each_row([&names](const FaultRow& row) {
    CHECK(names.insert(row.name).second);
    CHECK(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string_view::npos);
    CHECK(row.text.ends_with('.'));
    CHECK(row.text.find_first_of("\r\n[]") == std::string_view::npos);
    CHECK(is_code(row.imap_code));
    CHECK(is_code(row.pop3_code));
    CHECK_FALSE(name_of(row.blame).empty());
  });
  CHECK(names.size() == kFaults);
  CHECK(name_of(Fault::StoreTimeout) == "store_timeout");
}

TEST_CASE("what is not the user's fault never reads like a wrong password") {
  for_each_row([](const FaultRow& row) {
    if (row.blame == Blame::Nobody || row.blame == Blame::Client || row.blame == Blame::Credentials) return;
    CHECK((row.imap_code == "UNAVAILABLE" || row.imap_code == "SERVERBUG"));
    CHECK((row.pop3_code == "SYS/TEMP" || row.pop3_code == "SYS/PERM"));
    CHECK((row.imap_code == "SERVERBUG") == (row.blame == Blame::Configuration));
    CHECK((row.pop3_code == "SYS/PERM") == (row.blame == Blame::Configuration));
  });
}

TEST_CASE("credentials are refused with AUTH and without a second backend") {
  for_each_row([](const FaultRow& row) {
    CHECK((row.pop3_code == "AUTH") ==
          (row.blame == Blame::Credentials || row.fault == Fault::TooManyAttempts));
    if (row.other_backend_may_help) CHECK(row.blame == Blame::Store);
  });
}

TEST_CASE("a user without a route, or refused by policy, reads the same as a wrong password") {
  const FaultRow& wrong = describe(Fault::BadCredentials);
  for (const Fault fault : {Fault::NoRoute, Fault::PolicyRefused}) {
    const FaultRow& other = describe(fault);
    CAPTURE(other.name);
    CHECK(other.imap_code == wrong.imap_code);
    CHECK(other.pop3_code == wrong.pop3_code);
    CHECK(other.text == wrong.text);
    CHECK(other.blame == wrong.blame);
    CHECK(other.name != wrong.name);
  }
}

TEST_CASE("a source that fails is neither the user's fault nor the store's") {
  for (const Fault fault : {Fault::AuthUnavailable, Fault::AuthProtocol, Fault::LookupUnavailable}) {
    CAPTURE(name_of(fault));
    CHECK(describe(fault).blame == Blame::Source);
    CHECK_FALSE(describe(fault).other_backend_may_help);
  }
  CHECK(name_of(Blame::Source) == "source");
}

TEST_CASE("the codes that clients act on") {
  struct Row {
    Fault fault;
    std::string imap;
    std::string pop3;
    std::string text;
    bool other;
  };
  const Row rows[] = {
      {Fault::BadCredentials, "AUTHENTICATIONFAILED", "AUTH", "Authentication failed.", false},
      {Fault::NotAuthorized, "AUTHORIZATIONFAILED", "AUTH", "Authorization failed.", false},
      {Fault::PasswordExpired, "EXPIRED", "AUTH", "The password has expired.", false},
      {Fault::AccountDisabled, "CONTACTADMIN", "AUTH", "This account is disabled.", false},
      {Fault::UserLimit, "LIMIT", "IN-USE", "Too many sessions of this user.", false},
      {Fault::ConnectFailed, "UNAVAILABLE", "SYS/TEMP", "Account is temporarily unavailable.", true},
      {Fault::StoreTls, "UNAVAILABLE", "SYS/TEMP", "Account is temporarily unavailable.", true},
      {Fault::NoBackend, "UNAVAILABLE", "SYS/TEMP", "Account is temporarily unavailable.", false},
      {Fault::StoreNoTls, "SERVERBUG", "SYS/PERM", "Account is temporarily unavailable.", false},
      {Fault::Loop, "SERVERBUG", "SYS/PERM", "Account is temporarily unavailable.", false},
      {Fault::AuthUnavailable, "UNAVAILABLE", "SYS/TEMP", "Account is temporarily unavailable.", false},
      {Fault::LookupUnavailable, "UNAVAILABLE", "SYS/TEMP", "Account is temporarily unavailable.", false},
      {Fault::LookupInvalid, "SERVERBUG", "SYS/PERM", "Account is temporarily unavailable.", false},
      {Fault::HostNotAllowed, "SERVERBUG", "SYS/PERM", "Account is temporarily unavailable.", false},
      {Fault::ShuttingDown, "UNAVAILABLE", "SYS/TEMP", "The server is shutting down.", false},
  };
  for (const Row& row : rows) {
    const FaultRow& got = describe(row.fault);
    CAPTURE(got.name);
    CHECK(got.imap_code == row.imap);
    CHECK(got.pop3_code == row.pop3);
    CHECK(got.text == row.text);
    CHECK(got.other_backend_may_help == row.other);
  }
}
