#include "proxy/observe/session_line.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "proxy/observe/end_code.h"
#include "tests/temporary_directory.h"

using namespace postern;
using namespace postern::observe;
using namespace std::chrono_literals;

namespace {

constexpr LogLine::Clock::time_point kNow{1'795'385'155'007ms};  // 2026-11-22T22:05:55.007Z

std::string line_of(const SessionRecord& record, Format format = Format::Logfmt) {
  LogLine line(format, level_of(record), kNow, "session");
  write_session(line, record);
  return std::string(line.finish());
}

// Logged in, read mail, logged out.
SessionRecord good_session() {
  SessionRecord record;
  record.listener = "imaps";
  record.session = "q7Zk3";
  record.client = *Endpoint::parse("203.0.113.9:50123");
  record.peer = *Endpoint::parse("10.0.0.2:41000");
  record.local = *Endpoint::parse("[2001:db8::5]:993");
  record.tls_version = "TLSv1.3";
  record.tls_cipher = "TLS_AES_128_GCM_SHA256";
  record.tls_resumed = true;
  record.server_name = "imap.example.org";
  record.mechanism = Mechanism::Plain;
  record.user = "alice@example.org";
  record.pool = "store";
  record.backend = "s1";
  record.how = "home";
  record.handshake = 1500us;
  record.dialogue = 40ms;
  record.lookup = 12us;
  record.queue = 0us;
  record.connect = 310us;
  record.store_login = 8ms;
  record.login = 50ms;
  record.total = 61s;
  record.bytes_in = 1200;
  record.bytes_out = 9'000'000'000;
  return record;
}

}  // namespace

TEST_CASE("a session that went well is one logfmt line") {
  CHECK(line_of(good_session()) ==
        "ts=2026-11-22T22:05:55.007Z level=info msg=session session=q7Zk3 client=203.0.113.9:50123 "
        "peer=10.0.0.2:41000 local=[2001:db8::5]:993 listener=imaps protocol=imap tls=TLSv1.3 "
        "cipher=TLS_AES_128_GCM_SHA256 resumed=true sni=imap.example.org mechanism=plain "
        "user=alice@example.org pool=store backend=s1 how=home result=ok end=-- attempts=0 retries=0 "
        "handshake_ms=1.500 dialogue_ms=40.000 lookup_ms=0.012 queue_ms=0.000 connect_ms=0.310 "
        "store_login_ms=8.000 login_ms=50.000 total_ms=61000.000 bytes_in=1200 bytes_out=9000000000");
}

TEST_CASE("the same session is one JSON object with numbers as numbers") {
  const auto object = nlohmann::json::parse(line_of(good_session(), Format::Json));
  CHECK(object["ts"] == "2026-11-22T22:05:55.007Z");
  CHECK(object["user"] == "alice@example.org");
  CHECK(object["resumed"] == true);
  CHECK(object["attempts"] == 0);
  CHECK(object["login_ms"] == 50.0);
  CHECK(object["bytes_out"] == 9'000'000'000);
  CHECK_FALSE(object.contains("fault"));
}

TEST_CASE("a login that failed names fault, blame, detail and the phase that took the time") {
  SessionRecord record = good_session();
  record.peer = record.client;
  record.tls_version = record.tls_cipher = {};
  record.store_login.reset();
  record.login.reset();
  record.connect = 5s;
  record.retries = 1;
  record.fault = Fault::ConnectTimeout;
  record.ended_by = EndedBy::Client;
  record.ended_in = EndedIn::Greeting;
  record.detail = "s1 (10.1.0.11:143) did not accept within 5 s";
  record.bytes_in = record.bytes_out = 0;
  CHECK(
      line_of(record) ==
      "ts=2026-11-22T22:05:55.007Z level=warn msg=session session=q7Zk3 client=203.0.113.9:50123 "
      "local=[2001:db8::5]:993 listener=imaps protocol=imap sni=imap.example.org mechanism=plain "
      "user=alice@example.org pool=store backend=s1 how=home result=failed fault=connect_timeout blame=store "
      "detail=\"s1 (10.1.0.11:143) did not accept within 5 s\" end=CG attempts=0 retries=1 "
      "handshake_ms=1.500 dialogue_ms=40.000 lookup_ms=0.012 queue_ms=0.000 connect_ms=5000.000 "
      "total_ms=61000.000 bytes_in=0 bytes_out=0");
}

TEST_CASE("a user name can neither break the line nor reach the terminal, and is cut at 255 bytes") {
  SessionRecord record = good_session();
  record.user = "x\nts=2026 level=info msg=session user=\"root\" \x1b]0;owned\x07";
  CHECK(line_of(record).find(
            R"( user="x\nts=2026 level=info msg=session user=\"root\" \u001b]0;owned\u0007" pool=)") !=
        std::string::npos);
  record.user = std::string(65536, 'u');
  CHECK(line_of(record).find(" user=\"" + std::string(255, 'u') + "...[65536 bytes]\" pool=") !=
        std::string::npos);
}

TEST_CASE("result tells who has to act") {
  struct Row {
    bool named;
    unsigned attempts;
    bool logged_in;
    Fault fault;
    std::string_view word;
  };
  const Row rows[] = {
      {false, 0, false, Fault::None, "none"},
      {false, 0, false, Fault::ClientTls, "none"},
      {true, 0, true, Fault::None, "ok"},
      {true, 1, true, Fault::ClientReset, "ok"},
      {true, 1, false, Fault::BadCredentials, "refused"},
      {true, 3, false, Fault::TooManyAttempts, "refused"},
      {true, 1, false, Fault::None, "refused"},
      {true, 1, false, Fault::ClientClosed, "refused"},
      {true, 0, false, Fault::UserLimit, "refused"},
      {true, 0, false, Fault::StoreRefused, "refused"},
      {true, 0, false, Fault::NoBackend, "failed"},
      {true, 0, false, Fault::StoreLoginDisabled, "failed"},
      {true, 0, false, Fault::AuthUnavailable, "failed"},
      {true, 0, false, Fault::ClientClosed, "abandoned"},
      {true, 0, false, Fault::LoginTimeout, "abandoned"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.word);
    CAPTURE(name_of(row.fault));
    SessionRecord record;
    if (row.named) record.user = "alice";
    if (row.logged_in) record.login = 1ms;
    record.attempts = row.attempts;
    record.fault = row.fault;
    CHECK(result_word(record) == row.word);
  }
}

TEST_CASE("the level rises with what someone has to mend") {
  SessionRecord record;
  CHECK(level_of(record) == Level::Info);
  record.fault = Fault::BadCredentials;
  CHECK(level_of(record) == Level::Info);
  record.fault = Fault::ShuttingDown;
  CHECK(level_of(record) == Level::Info);
  record.fault = Fault::StoreClosed;
  CHECK(level_of(record) == Level::Warn);
  record.fault = Fault::StoreNoTls;
  CHECK(level_of(record) == Level::Warn);
  record.ended_by = EndedBy::Internal;
  CHECK(level_of(record) == Level::Error);
}

TEST_CASE("end codes: every letter is written, unique within its place, and has its row") {
  std::set<char> letters;
  std::set<std::string_view> words;
  for (const auto& row : kEndedBy) {
    CHECK(letters.insert(static_cast<char>(row.letter)).second);
    CHECK(words.insert(row.word).second);
    CHECK(&kEndedBy[index_of(row.letter)] == &row);
    SessionRecord record;
    record.ended_by = row.letter;
    CHECK(line_of(record).find(std::string(" end=") + static_cast<char>(row.letter) + "- ") !=
          std::string::npos);
  }
  letters.clear();
  words.clear();
  for (const auto& row : kEndedIn) {
    CHECK(letters.insert(static_cast<char>(row.letter)).second);
    CHECK(words.insert(row.word).second);
    CHECK(&kEndedIn[index_of(row.letter)] == &row);
    SessionRecord record;
    record.ended_by = EndedBy::Client;
    record.ended_in = row.letter;
    CHECK(line_of(record).find(std::string(" end=C") + static_cast<char>(row.letter) + " ") !=
          std::string::npos);
  }
}

TEST_CASE("names of fields are unique words in snake_case") {
  std::set<std::string_view> names{"ts", "level", "msg"};
  for (const SessionField& field : session_fields()) {
    CAPTURE(field.name);
    CHECK(names.insert(field.name).second);
    CHECK(field.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK_FALSE(field.meaning.empty());
  }
}

TEST_CASE("LOG.md is what the tables say (POSTERN_WRITE_REFERENCE=1 writes it)") {
  const std::string path = POSTERN_OBSERVE_DIR "/LOG.md";
  if (std::getenv("POSTERN_WRITE_REFERENCE") != nullptr) std::ofstream(path) << log_reference();
  CHECK(content_of(path) == log_reference());
}
