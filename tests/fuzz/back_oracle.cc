#include "tests/fuzz/back_oracle.h"

#include <memory>
#include <string>
#include <utility>

#include "parsers/base64.h"
#include "parsers/dialogue.h"
#include "parsers/sasl.h"
#include "tests/fuzz/flights.h"
#include "tests/fuzz/require.h"

namespace postern::fuzz {

namespace {

constexpr std::size_t kOutputAlways = 8192;

BackSetup setup_of(std::uint8_t options, std::uint8_t mechanism) {
  BackSetup setup;
  setup.secure = (options & kBackSecure) != 0;
  setup.starttls = (options & kBackStartTls) != 0;
  setup.forward_id = setup.forward_xclient = (options & kBackForward) != 0;
  setup.probe = (options & kBackProbe) != 0;
  setup.client.session = "s1";
  setup.client.client = *Endpoint::parse("192.0.2.1:1234");
  setup.client.connected = *Endpoint::parse("[2001:db8::1]:993");
  setup.client.server_name = "mail.example";
  setup.client.client_id = R"("name" "x")";
  const bool odd = (options & kBackOddCredentials) != 0;
  setup.user = odd ? "al\"i\\ce {3} \xc3\xa4\x7f" : "alice@example";
  setup.password = Secret(odd ? "p\"w\\ {5+} \xff\x01(" : "hunter2-hunter2");
  if ((options & kBackLongCredentials) != 0) setup.password.append(std::string(900, 'p'));
  if ((options & kBackMaster) != 0) setup.authorization = "bob@example";
  if ((mechanism & (kBackXOAuth2 | kBackOAuthBearer)) != 0) {
    setup.mechanism = (mechanism & kBackXOAuth2) != 0 ? Mechanism::XOAuth2 : Mechanism::OAuthBearer;
    setup.message = Secret(
        "user=alice\x01"
        "auth=Bearer " +
        std::string(odd ? 300 : 20, 't') + "\x01\x01");
  }
  if ((mechanism & kBackForwardFields) != 0) {
    setup.client.forward = {
        {"tenant", "a\t\"b\""}, {"x=y", "\r\nz LOGOUT"}, {"long", std::string(1024, 'v')}};
  }
  return setup;
}

bool one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

struct BackTrace {
  std::string text;
  bool refused_as_protocol = false;
};

class BackPlay {
 public:
  BackPlay(Protocol protocol, std::uint8_t options, std::uint8_t mechanism)
      : setup_(setup_of(options, mechanism)),
        gives_up_((mechanism & kBackGiveUp) != 0),
        password_(setup_.password.clone()),
        sasl_(
            is_bearer(setup_.mechanism)
                ? encode_base64(setup_.message.reveal())
                : encode_base64(write_plain(setup_.authorization, setup_.user, password_.reveal()).reveal())),
        dialogue_(make_back(protocol, setup_of(options, mechanism))) {}

  BackTrace play(std::string_view bytes, Cutter cutter) {
    drain();
    for (const std::string_view flight : split_flights(bytes)) {
      for (const std::string_view piece : cutter.cut(flight)) {
        dialogue_->receive(piece);
        received_ += piece;
        drain();
      }
      if (std::exchange(handshake_, false) && !ended_) {
        tls_ = true;
        dialogue_->secured();
        drain();
      }
      while (std::exchange(challenged_, false)) {
        answer();
        drain();
      }
    }
    finish();
    return std::move(trace_);
  }

 private:
  void drain() {
    for (int events = 0; events < 1'000'000; ++events) {
      BackEvent event = dialogue_->next();
      if (std::holds_alternative<NeedData>(event)) return;
      require(!ended_, "no event after the end");
      require(!challenged_, "no event while an answer is awaited");
      std::visit([this](auto& told) { take(told); }, event);
    }
    require(false, "next() ends");
  }

  void take(NeedData&) {}

  void take(SendSecret& send) {
    const std::string_view bytes = send.bytes.reveal();
    require(!bytes.empty(), "something is sent");
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == '\r') require(i + 1 < bytes.size() && bytes[i + 1] == '\n', "no bare CR is sent");
      if (bytes[i] == '\n') require(i > 0 && bytes[i - 1] == '\r', "no bare LF is sent");
      require(bytes[i] != '\0', "no NUL is sent");
    }
    sent_ += bytes;
    require(sent_.size() <= kOutputAlways, "what is sent is bounded");
    trace_.text += bytes;
    const bool password = sent_.contains(password_.reveal()) || sent_.contains(sasl_.reveal());
    require(!password || dialogue_->credentials_sent(),
            "credentials_sent() knows that the password has left");
    const bool in_clear = setup_.starttls && !setup_.secure && !tls_;
    require(!in_clear || !dialogue_->credentials_sent(), "no password before TLS where it is demanded");
    require(!setup_.probe || !dialogue_->credentials_sent(), "a probe sends no password");
  }

  void take(StartTls&) {
    require(setup_.starttls && !setup_.secure && !tls_ && !handshake_,
            "TLS begins once, where it is demanded");
    handshake_ = true;
    trace_.text += "[tls]\n";
  }

  void take(LoggedIn& logged_in) {
    const StoreWelcome& welcome = logged_in.welcome;
    require(!setup_.probe && dialogue_->credentials_sent(), "a login needs a password");
    require(!gave_up_, "no login for one who has given up");
    require(one_line(welcome.text) && one_line(welcome.capabilities), "a welcome is one line");
    require(welcome.untagged.empty() || welcome.untagged.ends_with("\r\n"), "untagged lines are whole");
    end("[logged in " + welcome.text + "|" + welcome.capabilities + "|" + welcome.untagged + "]\n");
    logged_in_ = true;
  }

  void take(Challenge& challenge) {
    require(is_bearer(setup_.mechanism) && dialogue_->credentials_sent(), "only a token is challenged");
    require(!gave_up_, "no challenge to one who has given up");
    require(++challenges_ < 100, "challenges have an end");
    challenged_ = true;
    trace_.text += "[challenge " + challenge.message + "]\n";
  }

  void answer() {
    if (gives_up_ && challenges_ == 2) {
      gave_up_ = true;
      dialogue_->give_up();
    } else {
      dialogue_->respond(Secret(challenges_ == 1 ? "" : "\x01"));
    }
  }

  void take(Refused& refused) {
    const Refusal& refusal = refused.refusal;
    require(refusal.fault != Fault::None, "a refusal has a reason");
    require(one_line(refusal.code) && one_line(refusal.text), "a refusal is one line");
    require(!refusal.code.contains(']'), "a code does not end early");
    trace_.refused_as_protocol = refusal.fault == Fault::StoreProtocol;
    end("[refused " + std::string(name_of(refusal.fault)) + "|" + refusal.code + "|" + refusal.text + "]\n");
  }

  void take(Probed&) {
    require(setup_.probe, "only a probe is probed");
    end("[probed " + dialogue_->capabilities() + "]\n");
  }

  void end(const std::string& how) {
    ended_ = true;
    trace_.text += how;
  }

  void finish() {
    const Refusal closed = dialogue_->closed();
    require(closed.fault != Fault::None, "a closed connection has a meaning");
    require(one_line(closed.code) && one_line(closed.text), "what closing means is one line");
    if (logged_in_) {
      const std::string rest = dialogue_->take_rest();
      require(std::string_view(received_).ends_with(rest), "the rest is the end of what was sent");
      trace_.text += "[rest]" + rest;
    }
    if (ended_) {
      dialogue_->receive("* BYE\r\n+OK\r\n-ERR\r\nL OK\r\n");
      drain();
    }
  }

  BackSetup setup_;
  bool gives_up_;
  Secret password_;
  Secret sasl_;
  std::unique_ptr<BackDialogue> dialogue_;
  BackTrace trace_;
  std::string received_;
  std::string sent_;
  bool handshake_ = false;
  bool challenged_ = false;
  bool gave_up_ = false;
  unsigned challenges_ = 0;
  bool tls_ = false;
  bool ended_ = false;
  bool logged_in_ = false;
};

}  // namespace

void play_back(Protocol protocol, const std::uint8_t* data, std::size_t size) {
  if (size < kBackHeader) return;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + kBackHeader, size - kBackHeader);
  const BackTrace whole = BackPlay(protocol, data[0], data[1]).play(bytes, Cutter(0));
  const BackTrace cut = BackPlay(protocol, data[0], data[1]).play(bytes, Cutter(data[2] | 1));
  // POP3 has no tags, so an early answer is never seen to be one.
  if (protocol == Protocol::Imap && whole.refused_as_protocol) return;
  require_same(whole.text, cut.text, "the same events however the bytes arrive");
}

}  // namespace postern::fuzz
