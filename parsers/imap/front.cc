#include "parsers/imap/front.h"

#include <array>
#include <utility>

#include "parsers/imap/capability.h"
#include "parsers/imap/id.h"

namespace postern {
namespace {

// The first octet of a TLS handshake record (RFC 8446 §5.1). No command begins with it, and no line end
// comes.
constexpr char kTlsHandshake = 0x16;

}  // namespace

ImapFront::ImapFront(FrontSetup setup)
    : setup_(std::move(setup)), lexer_(setup_.limits.line, setup_.limits.literal) {
  send("* OK [CAPABILITY " + capabilities() + "] " + setup_.host_name +
       (setup_.host_name.empty() ? "" : " ") + "Postern ready.\r\n");
}

void ImapFront::receive(std::string_view bytes) {
  // In clear text behind STARTTLS (RFC 9051 §6.2.1 lets a server discard it), or behind the end.
  if (phase_ == Phase::Tls || phase_ == Phase::Closed) return;
  buffer_.append(bytes);
}

FrontEvent ImapFront::next() {
  while (events_.empty()) {
    const bool progress = phase_ == Phase::Command    ? read_command()
                          : phase_ == Phase::Response ? read_response()
                                                      : false;
    if (!progress) return NeedData{};
  }
  FrontEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void ImapFront::secured() {
  buffer_.clear();
  lexer_.abandon();
  setup_.secure = true;
  asked_capability_ = false;
  got_id_ = false;
  client_id_.clear();
  forwarded_ = {};
  phase_ = Phase::Command;
}

std::string ImapFront::farewell(Fault fault) const {
  const FaultRow& row = describe(fault);
  std::string line = "* BYE ";
  if (!row.imap_code.empty()) line.append("[").append(row.imap_code).append("] ");
  line.append(row.text.empty() ? "Logging out." : row.text);
  return line + "\r\n";
}

bool ImapFront::read_command() {
  if (lexer_.held() == 0 && buffer_.peek().starts_with(kTlsHandshake)) {
    end("* BYE TLS does not begin here.\r\n", Fault::ClientTls);
    return true;
  }
  auto result = lexer_.read(buffer_);
  if (std::holds_alternative<ImapLexer::NeedMore>(result)) return false;
  if (!std::holds_alternative<ImapLexer::Continue>(result) && ++commands_ > setup_.limits.commands) {
    close(Fault::TooManyCommands);
    return true;
  }
  if (std::holds_alternative<ImapLexer::Continue>(result)) {
    tag_ = lexer_.unfinished().tag;
    if (lexer_.unfinished().name == "LOGIN" && !setup_.secure) {
      lexer_.abandon();  // before the password crosses the wire
      refuse_in_clear();
    } else {
      send("+ Ready for the literal.\r\n");
    }
  } else if (const auto* malformed = std::get_if<ImapLexer::Malformed>(&result)) {
    tag_ = malformed->tag.empty() ? "*" : malformed->tag;
    std::string text = "BAD ";
    if (!malformed->code.empty()) text.append("[").append(malformed->code).append("] ");
    refuse(text.append(malformed->problem));
  } else if (const auto* too_long = std::get_if<ImapLexer::TooLong>(&result)) {
    if (!too_long->tag.empty()) {
      tag_ = too_long->tag;
      answer(std::string("BAD [TOOBIG] ").append(describe(too_long->fault).text));
    }
    close(too_long->fault);
  } else {
    const auto& command = std::get<ImapCommand>(result);
    tag_ = command.tag;
    run(command);
  }
  return true;
}

bool ImapFront::read_response() {
  const auto got = buffer_.next_line(setup_.limits.line);
  if (std::holds_alternative<LineBuffer::NeedMore>(got)) return false;
  if (std::holds_alternative<LineBuffer::TooLong>(got)) {
    close(Fault::LineTooLong);
  } else {
    take_response(std::get<LineBuffer::Line>(got).text);
  }
  return true;
}

void ImapFront::run(const ImapCommand& command) {
  struct Entry {
    std::string_view name;
    void (ImapFront::*run)(const ImapCommand&);
  };
  static constexpr std::array kCommands = {
      Entry{"AUTHENTICATE", &ImapFront::authenticate},
      Entry{"CAPABILITY", &ImapFront::capability},
      Entry{"ID", &ImapFront::id},
      Entry{"LOGIN", &ImapFront::login},
      Entry{"LOGOUT", &ImapFront::logout},
      Entry{"NOOP", &ImapFront::noop},
      Entry{"STARTTLS", &ImapFront::starttls},
  };
  for (const Entry& entry : kCommands) {
    if (command.name == entry.name) return (this->*entry.run)(command);
  }
  refuse("BAD Unknown command, or not before login.");
}

void ImapFront::capability(const ImapCommand& command) {
  if (!without_arguments(command)) return;
  asked_capability_ = true;
  send("* CAPABILITY " + capabilities() + "\r\n");
  answer("OK Capability completed.");
}

void ImapFront::noop(const ImapCommand& command) {
  if (without_arguments(command)) answer("OK Nothing done.");
}

void ImapFront::logout(const ImapCommand& command) {
  if (!without_arguments(command)) return;
  end("* BYE Logging out.\r\n" + tag_ + " OK Logout completed.\r\n", Fault::None);
}

void ImapFront::id(const ImapCommand& command) {
  auto parsed = parse_id(command);
  if (!parsed) return refuse(std::string("BAD ").append(parsed.error()));
  if (!got_id_) {
    got_id_ = true;
    client_id_ = std::move(parsed->client);
    forwarded_ = std::move(parsed->forwarded);
  }
  send("* ID (\"name\" \"Postern\")\r\n");
  answer("OK ID completed.");
}

void ImapFront::starttls(const ImapCommand& command) {
  if (!without_arguments(command)) return;
  if (!offers_starttls(setup_)) return refuse("BAD TLS is active already, or not offered here.");
  answer("OK Begin TLS negotiation now.");
  events_.emplace_back(StartTls{});
  phase_ = Phase::Tls;
  buffer_.clear();
}

void ImapFront::answer(std::string_view status_and_text) {
  send(tag_ + " " + std::string(status_and_text) + "\r\n");
}

void ImapFront::refuse(std::string_view status_and_text) {
  answer(status_and_text);
  count_bad_command();
}

void ImapFront::count_bad_command() {
  if (++bad_commands_ >= setup_.limits.bad_commands) close(Fault::TooManyBadCommands);
}

void ImapFront::close(Fault fault) { end(farewell(fault), fault); }

void ImapFront::end(std::string last_words, Fault fault) {
  send(std::move(last_words));
  events_.emplace_back(Close{fault});
  phase_ = Phase::Closed;
  buffer_.clear();
}

bool ImapFront::without_arguments(const ImapCommand& command) {
  if (command.arguments.empty()) return true;
  refuse("BAD This command takes no arguments.");
  return false;
}

std::string ImapFront::capabilities() const { return front_capabilities(setup_); }

}  // namespace postern
