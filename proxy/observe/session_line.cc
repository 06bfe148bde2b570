#include "proxy/observe/session_line.h"

#include <array>
#include <iterator>

#include "proxy/observe/end_code.h"
#include "proxy/observe/worker_metrics.h"

namespace postern::observe {

namespace {

using Record = SessionRecord;
using Name = std::string_view;

constexpr std::size_t kDetailLimit = 1000;

template <auto Member>
void text(LogLine& line, Name name, const Record& record) {
  line.text(name, record.*Member, kTextLimit);
}

template <auto Member>
void number(LogLine& line, Name name, const Record& record) {
  line.number(name, record.*Member);
}

template <auto Member>
void endpoint(LogLine& line, Name name, const Record& record) {
  if (record.*Member != Endpoint{}) line.text(name, (record.*Member).to_string());
}

template <auto Member>
void timer(LogLine& line, Name name, const Record& record) {
  line.milliseconds(name, record.*Member);
}

void end_code(LogLine& line, Name name, const Record& record) {
  const char letters[] = {static_cast<char>(record.ended_by), static_cast<char>(record.ended_in)};
  line.text(name, {letters, sizeof letters});
}

constexpr auto kFields = std::to_array<SessionField>({
    {"session", "the session's id; the store is told the same", text<&Record::session>},
    {"client", "address and port of the client, as the PROXY header or a trusted proxy gave it",
     endpoint<&Record::client>},
    {"peer", "the other end of the socket, where that is not the client itself",
     [](LogLine& line, Name name, const Record& r) {
       if (r.peer != r.client) endpoint<&Record::peer>(line, name, r);
     }},
    {"local", "address and port that the client connected to", endpoint<&Record::local>},
    {"listener", "name of the listener", text<&Record::listener>},
    {"protocol", "imap or pop3",
     [](LogLine& line, Name name, const Record& r) { line.text(name, name_of(r.protocol)); }},
    {"tls", "version of TLS with the client", text<&Record::tls_version>},
    {"cipher", "cipher suite with the client", text<&Record::tls_cipher>},
    {"resumed", "whether the client resumed an earlier TLS session",
     [](LogLine& line, Name name, const Record& r) {
       if (!r.tls_version.empty()) line.flag(name, r.tls_resumed);
     }},
    {"sni", "the server name that the client asked for", text<&Record::server_name>},
    {"mechanism",
     "how the client proved itself: command (LOGIN, USER and PASS), plain, login, xoauth2, "
     "oauthbearer, external, or relayed (any other of the authentication service)",
     [](LogLine& line, Name name, const Record& r) {
       if (r.mechanism) line.text(name, name_of(*r.mechanism));
     }},
    {"user", "the user name of the last login that was tried", text<&Record::user>},
    {"pool", "the pool that serves the user", text<&Record::pool>},
    {"backend", "the backend that was chosen last", text<&Record::backend>},
    {"how", "how that backend was chosen", text<&Record::how>},
    {"result",
     "ok; refused: the user's or a limit's doing; failed: a store, a source, the configuration or Postern is "
     "to blame; "
     "abandoned: the client left while its login was under way; none: no login was tried",
     [](LogLine& line, Name name, const Record& r) { line.text(name, result_word(r)); }},
    {"fault", "why the login was refused, or why the session ended before its time",
     [](LogLine& line, Name name, const Record& r) {
       if (r.fault != Fault::None) line.text(name, name_of(r.fault));
     }},
    {"blame",
     "who is to act on the fault: client, credentials, store, source (of identities, maps, policy), "
     "configuration, postern",
     [](LogLine& line, Name name, const Record& r) {
       if (r.fault != Fault::None) line.text(name, name_of(describe(r.fault).blame));
     }},
    {"detail", "the fault in a sentence",
     [](LogLine& line, Name name, const Record& r) { line.text(name, r.detail, kDetailLimit); }},
    {"end", "who ended the session and in which phase: two letters, see below", end_code},
    {"attempts", "logins that were refused in this session", number<&Record::attempts>},
    {"retries", "backends that were tried because another had failed", number<&Record::retries>},
    {"handshake_ms", "TLS handshake with the client", timer<&Record::handshake>},
    {"dialogue_ms", "from the greeting to the client's credentials", timer<&Record::dialogue>},
    {"lookup_ms", "finding out who the user is and which pool serves it", timer<&Record::lookup>},
    {"queue_ms", "in line for a free place at the backend", timer<&Record::queue>},
    {"connect_ms", "connecting to the backend", timer<&Record::connect>},
    {"store_login_ms", "greeting, TLS and login at the backend", timer<&Record::store_login>},
    {"login_ms", "from accept to logged in", timer<&Record::login>},
    {"total_ms", "from accept to the end", timer<&Record::total>},
    {"bytes_in", "bytes from the client after login", number<&Record::bytes_in>},
    {"bytes_out", "bytes to the client after login", number<&Record::bytes_out>},
});

template <class Rows>
void append_letters(std::string& out, std::string_view title, const Rows& rows) {
  fmt::format_to(std::back_inserter(out), "\n| {} | Meaning |\n|---|---|\n", title);
  for (const auto& row : rows)
    fmt::format_to(std::back_inserter(out), "| `{}` | {} |\n", static_cast<char>(row.letter), row.meaning);
}

}  // namespace

std::span<const SessionField> session_fields() { return kFields; }

void write_session(LogLine& line, const SessionRecord& record) {
  for (const SessionField& field : kFields) field.write(line, field.name, record);
}

std::string_view result_word(const SessionRecord& record) {
  if (record.login) return "ok";
  if (record.user.empty() && !record.mechanism && record.attempts == 0) return "none";
  switch (result_of(record.fault)) {
    case LoginResult::Temporary:
    case LoginResult::Configuration:
      return "failed";
    case LoginResult::Credentials:
    case LoginResult::Limit:
    case LoginResult::Policy:
      return "refused";
    case LoginResult::Ok:
    case LoginResult::Client:
      break;
  }
  return record.attempts > 0 ? "refused" : "abandoned";
}

std::string log_reference() {
  std::string out =
      "# The log's lines\n"
      "\n"
      "Generated from the tables in session_line.cc and end_code.h; a test compares.\n"
      "\n"
      "Each line begins with `ts` (RFC 3339, UTC, milliseconds), `level` (debug, info, warn, error) and "
      "`msg`.\n"
      "The line of a session that ended has `msg=session` and these fields, in this order. A field without "
      "a\n"
      "value is left out: a timer that is missing says that its phase was not reached (`handshake_ms`\n"
      "and `login_ms`: not finished). Those from `lookup_ms` to `store_login_ms` are of the last login\n"
      "that was tried, and of the backend that it tried last. Times are in milliseconds.\n"
      "\n"
      "| Field | Meaning |\n"
      "|---|---|\n";
  for (const SessionField& field : kFields)
    fmt::format_to(std::back_inserter(out), "| `{}` | {} |\n", field.name, field.meaning);
  out +=
      "\n"
      "`end` is two letters. The first says who ended the session, or why; the letters are HAProxy's.\n";
  append_letters(out, "First", kEndedBy);
  out += "\nThe second says in which phase.\n";
  append_letters(out, "Second", kEndedIn);
  return out;
}

}  // namespace postern::observe
