#include "proxy/auth/dovecot_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/auth/dovecot_answer.h"
#include "proxy/auth/dovecot_question.h"

namespace postern::auth {

namespace {

constexpr Duration kConnectTime{5000};
constexpr Duration kFirstBlockTime{5000};
constexpr Duration kPatience{1000};  // for a connection that is away
constexpr Duration kFirstBackOff{50};
constexpr Duration kLongestBackOff{2000};
constexpr Duration kRenewalRetry{250};
constexpr std::size_t kMostUnwritten = std::size_t{1024} * 1024;

// Spoken by ourselves, without sense behind us, or not about one user.
constexpr std::array<std::string_view, 8> kNeverRelayed{"PLAIN",    "LOGIN",     "XOAUTH2", "OAUTHBEARER",
                                                        "EXTERNAL", "ANONYMOUS", "APOP",    "GSS-SPNEGO"};

std::vector<std::string> relayed_of(const std::vector<DovecotProtocol::Mechanism>& mechanisms) {
  std::vector<std::string> relayed;
  for (const auto& [name, hidden] : mechanisms) {
    const bool word = !name.empty() && name.size() <= 20 && std::ranges::all_of(name, [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!word || hidden || name.ends_with("-PLUS")) continue;
    if (std::ranges::find(kNeverRelayed, name) == kNeverRelayed.end()) relayed.push_back(name);
  }
  return relayed;
}

std::uint64_t key_of(net::AnswerTicket ticket) {
  return std::uint64_t{ticket.slot} << 32 | ticket.generation;
}

bool can_be_challenged(Mechanism mechanism) {
  return mechanism == Mechanism::XOAuth2 || mechanism == Mechanism::OAuthBearer ||
         mechanism == Mechanism::Relayed;
}

Answer failure(Fault fault, std::string detail) {
  Answer answer;
  answer.refusal.fault = fault;
  answer.detail = std::move(detail);
  return answer;
}

}  // namespace

struct DovecotSource::Pending final : net::Timer {
  enum class State : std::uint8_t {
    Waiting,     // for a connection
    Asked,       // Dovecot's turn
    Challenged,  // the client's turn
    Ending,      // `ending` is told when the timer expires
    Held,        // the same, but it is the client's turn: told when it has answered
  };

  Pending(DovecotSource& its_source, std::uint32_t its_id, const Question& question)
      : source(its_source),
        id(its_id),
        ticket(question.ticket),
        mechanism(question.credentials->mechanism),
        sasl_name(dovecot_mechanism(*question.credentials)),
        line(write_auth(its_id, question)),
        deadline(source.reactor_.now() + source.settings_.timeout) {}

  void expired(Time) override { source.overdue(*this); }
  bool clients_turn() const { return state == State::Challenged || state == State::Held; }

  DovecotSource& source;
  const std::uint32_t id;
  const net::AnswerTicket ticket;
  const Mechanism mechanism;
  const std::string sasl_name;
  State state = State::Waiting;
  std::optional<Secret> line;  // until it is sent
  Time asked_at{};
  Time deadline;
  Answer ending;
};

DovecotSource::DovecotSource(net::Reactor& reactor, const conf::DovecotSource& settings, std::uint32_t slot,
                             Deliver deliver, WallClock wall_clock, Duration renewal)
    : reactor_(reactor),
      settings_(settings),
      slot_(slot),
      deliver_(std::move(deliver)),
      wall_clock_(std::move(wall_clock)),
      renewal_(renewal),
      random_(std::random_device{}()),
      back_off_(kFirstBackOff) {
  dial();
}

DovecotSource::~DovecotSource() = default;

// ------------------------------------------------------------------------------------------- the connection

void DovecotSource::dial() {
  protocol_ = DovecotProtocol();
  Link::Target target{settings_.path, settings_.host, settings_.port, nullptr};
  Link::Owner& owner = *this;
  link_ = std::make_unique<Link>(reactor_, owner, std::move(target), kConnectTime,
                                 net::AnswerTicket{slot_, ++generation_});
}

void DovecotSource::addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  if (link_ && link_->ticket() == ticket) link_->addresses(addresses);
}

void DovecotSource::link_up(Link& link) {
  // Dovecot takes two connections of one client for a fault of the client.
  const auto client = static_cast<std::uint32_t>(std::random_device{}() & 0x7fffffff);
  link.write(DovecotProtocol::greeting(std::max(client, 1U)));
  reactor_.timers().start(*this, reactor_.now() + kFirstBlockTime);
}

void DovecotSource::link_down(Link&, const std::string& why) { lose(why); }

void DovecotSource::expired(Time) {
  if (connected()) {
    renew();
  } else if (link_) {
    lose("its first block did not end in time");
  } else {
    dial();
  }
}

void DovecotSource::link_received(Link&, std::string_view bytes) {
  heard_ = reactor_.now();
  protocol_.receive(bytes);
  while (true) {
    DovecotProtocol::Event event = protocol_.next();
    if (std::holds_alternative<DovecotProtocol::NeedData>(event)) return;
    if (auto* broken = std::get_if<DovecotProtocol::Broken>(&event)) return lose(std::move(broken->why));
    if (std::holds_alternative<DovecotProtocol::Ready>(event)) {
      ready();
    } else {
      auto& reply = std::get<DovecotReply>(event);
      if (reply.id > highest_id_) return lose("a reply to nothing that was asked");
      replied(std::move(reply));
    }
  }
}

void DovecotSource::ready() {
  ready_at_ = reactor_.now();
  reactor_.timers().start(*this, ready_at_ + renewal_);
  trouble_.clear();
  relayed_ = relayed_of(protocol_.mechanisms());
  for (auto& [id, pending] : pending_) {
    if (pending->state == Pending::State::Waiting) send(*pending);
  }
}

void DovecotSource::lose(std::string why) {
  const bool lasted = protocol_.ready() && reactor_.now() - ready_at_ > kLongestBackOff;
  if (lasted) back_off_ = kFirstBackOff;
  reactor_.timers().start(*this, reactor_.now() + back_off_);
  back_off_ = std::min(2 * back_off_, kLongestBackOff);
  link_.reset();
  protocol_ = DovecotProtocol();
  trouble_ = std::move(why);
  for (auto& [id, pending] : pending_) {
    const bool asked = pending->state == Pending::State::Asked;
    if (!asked && pending->state != Pending::State::Challenged) continue;
    end_later(*pending, failure(Fault::AuthUnavailable, "the connection to Dovecot was lost: " + trouble_));
  }
}

void DovecotSource::renew() {
  const bool busy = std::ranges::any_of(pending_, [](const auto& each) {
    return each.second->state == Pending::State::Asked || each.second->state == Pending::State::Challenged;
  });
  if (busy) {
    reactor_.timers().start(*this, reactor_.now() + kRenewalRetry);
  } else {
    dial();
  }
}

// --------------------------------------------------------------------------------------------- the questions

DovecotSource::Pending* DovecotSource::find(net::AnswerTicket ticket) {
  const auto id = ids_.find(key_of(ticket));
  return id == ids_.end() ? nullptr : find(id->second);
}

DovecotSource::Pending* DovecotSource::find(std::uint32_t id) {
  const auto found = pending_.find(id);
  return found == pending_.end() ? nullptr : found->second.get();
}

bool DovecotSource::ask(const Question& question) {
  if (under_way() >= settings_.in_flight) return false;
  if (link_ && link_->unwritten() > kMostUnwritten) return false;
  do ++last_id_;
  while (last_id_ == 0 || pending_.contains(last_id_));
  highest_id_ = std::max(highest_id_, last_id_);
  Pending& pending =
      *pending_.emplace(last_id_, std::make_unique<Pending>(*this, last_id_, question)).first->second;
  ids_.insert_or_assign(key_of(question.ticket), last_id_);
  if (!pending.line) {
    end_later(pending, failure(Fault::BadCredentials, "longer than Dovecot takes"));
  } else if (connected()) {
    send(pending);
  } else {
    reactor_.timers().start(pending, std::min(pending.deadline, reactor_.now() + kPatience));
  }
  return true;
}

void DovecotSource::send(Pending& pending) {
  if (!protocol_.offers(pending.sasl_name)) {
    return end_later(pending, failure(Fault::AuthUnavailable, "Dovecot does not offer the mechanism"));
  }
  link_->write(pending.line->reveal());
  pending.line.reset();
  pending.state = Pending::State::Asked;
  pending.asked_at = reactor_.now();
  reactor_.timers().start(pending, pending.deadline);
}

void DovecotSource::respond(net::AnswerTicket ticket, Secret message) {
  Pending* pending = find(ticket);
  if (!pending || !pending->clients_turn()) return;
  --clients_turns_;
  if (pending->state == Pending::State::Held) {
    pending->state = Pending::State::Ending;
    reactor_.timers().start(*pending, reactor_.now());
    return;
  }
  const auto line = write_continue(pending->id, message.reveal());
  if (!line) {
    write_cancel_of(*pending);
    pending->state = Pending::State::Asked;
    return end_later(*pending, failure(Fault::BadCredentials, "longer than Dovecot takes"));
  }
  link_->write(line->reveal());
  pending->state = Pending::State::Asked;
  pending->asked_at = reactor_.now();
  reactor_.timers().start(*pending, reactor_.now() + settings_.timeout);
}

void DovecotSource::cancel(net::AnswerTicket ticket) {
  Pending* pending = find(ticket);
  if (!pending) return;
  write_cancel_of(*pending);
  erase(*pending);
}

void DovecotSource::erase(Pending& pending) {
  if (pending.clients_turn()) --clients_turns_;
  ids_.erase(key_of(pending.ticket));
  pending_.erase(pending.id);
}

void DovecotSource::write_cancel_of(const Pending& pending) {
  const bool known = pending.state == Pending::State::Asked || pending.state == Pending::State::Challenged;
  if (known && link_) link_->write(write_cancel(pending.id));
}

void DovecotSource::end_later(Pending& pending, Answer answer) {
  pending.ending = std::move(answer);
  const bool held = pending.state == Pending::State::Challenged;
  pending.state = held ? Pending::State::Held : Pending::State::Ending;
  pending.stop();
  if (!held) reactor_.timers().start(pending, reactor_.now());
}

void DovecotSource::end_now(Pending& pending, Answer answer) {
  answer.ticket = pending.ticket;
  erase(pending);
  deliver_(std::move(answer));
}

void DovecotSource::replied(DovecotReply reply) {
  Pending* pending = find(reply.id);
  if (!pending) return;  // cancelled meanwhile
  if (pending->state == Pending::State::Challenged) {
    if (reply.kind == DovecotReply::Kind::Fail) return end_later(*pending, understand_fail(reply));
    write_cancel_of(*pending);
    return end_later(*pending, failure(Fault::AuthProtocol, "an answer before the client's"));
  }
  if (pending->state != Pending::State::Asked) return;
  switch (reply.kind) {
    case DovecotReply::Kind::Ok:
      return end_now(*pending,
                     understand_ok(std::move(reply), wall_clock_(), static_cast<std::uint32_t>(random_())));
    case DovecotReply::Kind::Fail:
      return end_now(*pending, understand_fail(reply));
    case DovecotReply::Kind::Continue:
      break;
  }
  if (!reply.challenge || !can_be_challenged(pending->mechanism)) {
    write_cancel_of(*pending);
    return end_now(*pending, failure(Fault::AuthProtocol, "a challenge that cannot be passed on"));
  }
  pending->stop();
  pending->state = Pending::State::Challenged;
  ++clients_turns_;
  Answer answer;
  answer.ticket = pending->ticket;
  answer.kind = Answer::Kind::Challenge;
  answer.refusal = {};
  answer.challenge = std::move(*reply.challenge);
  deliver_(std::move(answer));
}

void DovecotSource::overdue(Pending& pending) {
  if (pending.state == Pending::State::Ending) return end_now(pending, std::move(pending.ending));
  if (pending.state == Pending::State::Waiting) {
    return end_now(pending, failure(Fault::AuthUnavailable, "no connection to Dovecot: " + trouble_));
  }
  write_cancel_of(pending);
  // Not a word to anybody for so long: it will not come back, but another connection may work.
  const bool mute = heard_ <= pending.asked_at;
  pending.state = Pending::State::Ending;
  if (mute) lose("it did not say a word");
  end_now(pending, failure(Fault::AuthUnavailable, "no answer from Dovecot in time"));
}

}  // namespace postern::auth
