#include "tests/fuzz/front_oracle.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "parsers/dialogue.h"
#include "parsers/sasl.h"
#include "tests/fuzz/flights.h"
#include "tests/fuzz/require.h"

namespace postern::fuzz {

namespace {

constexpr std::size_t kOutputPerByte = 64;
constexpr std::size_t kOutputAlways = 8192;

FrontSetup setup_of(Protocol protocol, std::uint8_t options) {
  FrontSetup setup;
  setup.host_name = "proxy.example";
  setup.secure = (options & kFrontSecure) != 0;
  setup.starttls = (options & kFrontStartTls) != 0;
  if ((options & kFrontPlain) != 0) setup.mechanisms.push_back(Mechanism::Plain);
  if ((options & kFrontLogin) != 0) setup.mechanisms.push_back(Mechanism::Login);
  if ((options & kFrontSasl) != 0) {
    setup.mechanisms.insert(setup.mechanisms.end(),
                            {Mechanism::XOAuth2, Mechanism::OAuthBearer, Mechanism::External});
    setup.relayed = {"SCRAM-SHA-256", "CRAM-MD5"};
  }
  if ((options & kFrontStoreCapabilities) != 0) {
    setup.store_capabilities = protocol == Protocol::Imap ? "IDLE UIDPLUS" : "TOP\nUIDL";
  }
  if ((options & kFrontTightLimits) != 0) setup.limits = {.line = 200, .literal = 40, .bad_commands = 3};
  if ((options & kFrontOneBadCommand) != 0) setup.limits.bad_commands = 1;
  return setup;
}

class FrontPlay {
 public:
  FrontPlay(Protocol protocol, std::uint8_t options, std::uint8_t answers)
      : setup_(setup_of(protocol, options)), answers_(answers), dialogue_(make_front(protocol, setup_)) {}

  // Returns what the client read and the driver was told, as a text.
  std::string play(std::string_view bytes, Cutter cutter) {
    drain();
    for (const std::string_view flight : split_flights(bytes)) {
      for (const std::string_view piece : cutter.cut(flight)) {
        dialogue_->receive(piece);
        received_ += piece;
        drain();
        check_sizes(piece.size());
      }
      while (awaited_ != Awaited::Nothing) {
        answer();
        drain();
      }
      if (accepted_) break;
    }
    finish();
    return trace_;
  }

 private:
  enum class Awaited : std::uint8_t { Nothing, Tls, Login };
  static constexpr unsigned kChallengesMax = 2;

  void drain() {
    for (int events = 0; events < 1'000'000; ++events) {
      FrontEvent event = dialogue_->next();
      if (std::holds_alternative<NeedData>(event)) return;
      require(!closed_, "no event after Close");
      require(awaited_ == Awaited::Nothing, "no event while an answer is awaited");
      std::visit([this](auto& told) { take(told); }, event);
    }
    require(false, "next() ends");
  }

  void take(NeedData&) {}

  void take(Send& send) {
    require(!send.bytes.empty() && send.bytes.ends_with("\r\n"), "what is sent ends its line");
    for (std::size_t i = 0; i < send.bytes.size(); ++i) {
      const char c = send.bytes[i];
      if (c == '\r')
        require(send.bytes[i + 1] == '\n', "no bare CR is sent");
      else if (c == '\n')
        require(i > 0 && send.bytes[i - 1] == '\r', "no bare LF is sent");
      else
        require(c >= ' ' && c <= '~', "only printable ASCII is sent");
    }
    output_ += send.bytes.size();
    trace_ += send.bytes;
  }

  void take(StartTls&) {
    require(setup_.starttls && !tls_, "TLS begins once, where it was offered");
    awaited_ = Awaited::Tls;
    trace_ += "[tls]\n";
  }

  void take(LoginRequest& request) {
    const Credentials& credentials = request.credentials;
    require(setup_.secure || tls_, "no login in clear text");
    require(!check(credentials), "credentials are fit to be handed on");
    require(!challenged_, "no login while another one is challenged");
    require(is_offered(credentials), "only mechanisms that are offered");
    require(credentials.authorization.empty() || credentials.authorization != credentials.user,
            "one's own identity is no authorization");
    require(credentials.has_message || credentials.message.empty(), "no message where there is none");
    mechanism_ = credentials.mechanism;
    challenges_ = 0;
    awaited_ = Awaited::Login;
    trace_ += "[login ";
    trace_ += name_of(credentials.mechanism);
    trace_ += '|' + credentials.user + '|' + credentials.authorization + '|';
    trace_ += credentials.password.reveal();
    trace_ += '|' + credentials.sasl_name + (credentials.has_message ? '|' : '-');
    trace_ += credentials.message.reveal();
    trace_ += "]\n";
  }

  void take(Response& response) {
    require(std::exchange(challenged_, false), "only a challenge has a response");
    awaited_ = Awaited::Login;
    trace_ += "[response ";
    trace_ += response.message.reveal();
    trace_ += "]\n";
  }

  void take(Cancelled&) {
    require(std::exchange(challenged_, false), "only a challenge can be cancelled");
    trace_ += "[cancelled]\n";
  }

  bool is_offered(const Credentials& credentials) const {
    const auto has = [this](Mechanism mechanism) {
      return std::ranges::find(setup_.mechanisms, mechanism) != setup_.mechanisms.end();
    };
    if (credentials.mechanism == Mechanism::Command) return has(Mechanism::Plain) || has(Mechanism::Login);
    if (credentials.mechanism != Mechanism::Relayed) return has(credentials.mechanism);
    return std::ranges::find(setup_.relayed, credentials.sasl_name) != setup_.relayed.end();
  }

  void take(Close& close) {
    closed_ = true;
    trace_ += "[close ";
    trace_ += name_of(close.fault);
    trace_ += "]\n";
  }

  void answer() {
    const Awaited awaited = std::exchange(awaited_, Awaited::Nothing);
    if (awaited == Awaited::Tls) {
      tls_ = true;
      dialogue_->secured();
      require(dialogue_->buffered() == 0, "nothing of the clear text is left");
    } else if (const bool no = (answers_ >> logins_++ % 8 & 1) == 0;
               no && mechanism_ >= Mechanism::XOAuth2 && challenges_ < kChallengesMax) {
      ++challenges_;
      challenged_ = true;
      dialogue_->challenge(std::string_view("\0{\xff}\r\n", 6).substr(0, 6 * (challenges_ % 2)));
    } else if (!no) {
      accepted_ = true;
      dialogue_->accept(
          {.text = "[CAPABILITY IMAP4rev1] Welcome", .untagged = "", .capabilities = "IMAP4rev1"});
    } else {
      dialogue_->reject({.fault = Fault::BadCredentials, .code = "", .text = ""});
    }
  }

  void check_sizes(std::size_t piece) {
    require(output_ <= kOutputAlways + kOutputPerByte * received_.size(), "output is in proportion to input");
    if (closed_ || awaited_ != Awaited::Nothing) return;
    require(dialogue_->buffered() <= setup_.limits.line + setup_.limits.literal + piece,
            "no more is held than an unfinished command may have");
  }

  void finish() {
    const Forwarded& forwarded = dialogue_->forwarded();
    require(forwarded.session.size() <= 64, "a forwarded session has at most 64 bytes");
    trace_ += "[forwarded " + (forwarded.client ? forwarded.client->to_string() : "") + "|" +
              (forwarded.connected ? forwarded.connected->to_string() : "") + "|" + forwarded.session + "|" +
              forwarded.server_name + "|" +
              (forwarded.hops_left ? std::to_string(*forwarded.hops_left) : "") +
              (forwarded.malformed ? "|malformed" : "") + "]\n" + dialogue_->client_id();
    const std::string rest = dialogue_->take_rest();
    if (accepted_) {
      require(std::string_view(received_).ends_with(rest), "the rest is the end of what was sent");
      trace_ += "[rest]" + rest;
    }
    if (closed_) {
      dialogue_->receive("a NOOP\r\nQUIT\r\n");
      drain();
    }
  }

  FrontSetup setup_;
  std::uint8_t answers_;
  std::unique_ptr<FrontDialogue> dialogue_;
  std::string trace_;
  std::string received_;
  std::size_t output_ = 0;
  unsigned logins_ = 0;
  Awaited awaited_ = Awaited::Nothing;
  Mechanism mechanism_ = Mechanism::Command;  // of the last login
  unsigned challenges_ = 0;                   // of it
  bool challenged_ = false;                   // and the client has not answered
  bool tls_ = false;
  bool accepted_ = false;
  bool closed_ = false;
};

}  // namespace

void play_front(Protocol protocol, const std::uint8_t* data, std::size_t size) {
  if (size < kFrontHeader) return;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + kFrontHeader, size - kFrontHeader);
  const std::string whole = FrontPlay(protocol, data[0], data[1]).play(bytes, Cutter(0));
  const std::string cut = FrontPlay(protocol, data[0], data[1]).play(bytes, Cutter(data[2] | 1));
  require_same(whole, cut, "the same events however the bytes arrive");
}

}  // namespace postern::fuzz
