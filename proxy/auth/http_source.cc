#include "proxy/auth/http_source.h"

#include <string>
#include <utility>

#include "proxy/auth/http_question.h"

namespace postern::auth {

namespace {

std::uint64_t id_of(net::AnswerTicket ticket) { return std::uint64_t{ticket.slot} << 32 | ticket.generation; }

Answer refused(Fault fault, std::string detail) {
  Answer answer;
  answer.refusal = {.fault = fault, .code = {}, .text = {}};
  answer.detail = std::move(detail);
  return answer;
}

}  // namespace

// A question under way. Its timer runs between two rounds.
class HttpSource::Asked final : public net::Timer {
 public:
  Asked(HttpSource& source, const Question& question)
      : ticket(question.ticket),
        mechanism(question.credentials->mechanism),
        named(!question.credentials->user.empty()),
        for_another(!question.credentials->authorization.empty() &&
                    question.credentials->authorization != question.credentials->user),
        request(write_question(source.settings_, question)),
        end(source.reactor_.now() + source.settings_.timeout),
        source_(source) {}

  const net::AnswerTicket ticket;
  const Mechanism mechanism;
  const bool named;
  const bool for_another;  // asks to act as another user than it proves to be
  const std::shared_ptr<const Secret> request;
  const Time end;  // of the whole question
  unsigned rounds = 1;

 private:
  void expired(Time) override { source_.ask_again(id_of(ticket)); }
  HttpSource& source_;
};

HttpSource::HttpSource(net::Reactor& reactor, const conf::HttpSource& settings,
                       std::shared_ptr<tls::ClientContext> tls, std::uint32_t slot, Deliver deliver)
    : reactor_(reactor),
      settings_(settings),
      deliver_(std::move(deliver)),
      client_(reactor, settings.url, std::move(tls), settings.in_flight, slot,
              [this](std::uint64_t id, const HttpResult& result) { answered(id, result); }) {}

HttpSource::~HttpSource() = default;

bool HttpSource::ask(const Question& question) {
  const std::uint64_t id = id_of(question.ticket);
  if (question.credentials->mechanism == Mechanism::Relayed) return false;
  // Those that wait for their next round have no request, but count.
  if (questions_.size() >= settings_.in_flight || questions_.contains(id)) return false;
  auto asked = std::make_unique<Asked>(*this, question);
  if (asked->for_another) {
    reactor_.timers().start(*asked, reactor_.now());
  } else if (!client_.submit(id, asked->request, settings_.timeout)) {
    return false;
  }
  questions_.emplace(id, std::move(asked));
  return true;
}

void HttpSource::respond(net::AnswerTicket, Secret) {}

void HttpSource::cancel(net::AnswerTicket ticket) {
  client_.cancel(id_of(ticket));
  questions_.erase(id_of(ticket));
}

void HttpSource::addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  client_.addresses(addresses, ticket);
}

void HttpSource::answered(std::uint64_t id, const HttpResult& result) {
  if (!result) {
    const bool malformed = result.error().kind == HttpFailure::Kind::Malformed;
    return end(id, refused(malformed ? Fault::AuthProtocol : Fault::AuthUnavailable, result.error().text));
  }
  Asked& asked = *questions_.at(id);
  auto verdict = read_verdict(*result, asked.mechanism, asked.named);
  if (Answer* answer = std::get_if<Answer>(&verdict)) return end(id, std::move(*answer));

  const Duration wait = std::get<AskAgain>(verdict).time;
  const Time next = reactor_.now() + wait;
  if (asked.rounds >= kRounds)
    return end(id,
               refused(Fault::AuthUnavailable, "Auth-Status was WAIT " + std::to_string(kRounds) + " times"));
  if (next >= asked.end)
    return end(id,
               refused(Fault::AuthUnavailable,
                       "Auth-Wait: " +
                           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wait).count()) +
                           " ends after the timeout of the question"));
  ++asked.rounds;
  reactor_.timers().start(asked, next);
}

void HttpSource::ask_again(std::uint64_t id) {
  const Asked& asked = *questions_.at(id);
  if (asked.for_another)
    return end(id, refused(Fault::NotAuthorized, "auth_http has no field for a second identity"));
  const auto left = std::chrono::floor<Duration>(asked.end - reactor_.now());
  if (left <= Duration::zero() || !client_.submit(id, asked.request, left))
    end(id, refused(Fault::AuthUnavailable, "no time left after Auth-Wait"));
}

void HttpSource::end(std::uint64_t id, Answer answer) {
  answer.ticket = questions_.at(id)->ticket;
  questions_.erase(id);
  deliver_(std::move(answer));
}

}  // namespace postern::auth
