#include "proxy/auth/passwd_source.h"

#include <utility>

namespace postern::auth {

namespace {

// What the file has no word for. None: it may be asked.
Fault cannot_answer(const Credentials& credentials) {
  switch (credentials.mechanism) {
    case Mechanism::XOAuth2:
    case Mechanism::OAuthBearer:
    case Mechanism::Relayed:
      return Fault::AuthUnavailable;
    case Mechanism::Command:
    case Mechanism::Plain:
    case Mechanism::Login:
    case Mechanism::External:
      break;
  }
  const bool for_another =
      !credentials.authorization.empty() && credentials.authorization != credentials.user;
  return for_another ? Fault::NotAuthorized : Fault::None;
}

}  // namespace

PasswdSource::PasswdSource(std::shared_ptr<Verifier> verifier, std::function<void()> wake, Deliver deliver)
    : verifier_(std::move(verifier)),
      mailbox_(std::make_shared<Mailbox>(std::move(wake))),
      deliver_(std::move(deliver)) {}

PasswdSource::~PasswdSource() { mailbox_->close(); }

bool PasswdSource::ask(const Question& question) {
  const Credentials& credentials = *question.credentials;
  if (const Fault fault = cannot_answer(credentials); fault != Fault::None) {
    mailbox_->post({question.ticket, fault, {}, {}});
    return true;
  }
  if (credentials.mechanism == Mechanism::External)
    return verifier_->submit_known(credentials.user, mailbox_, question.ticket);
  return verifier_->submit(credentials.user, credentials.password.clone(), mailbox_, question.ticket);
}

void PasswdSource::cancel(net::AnswerTicket ticket) { verifier_->cancel(*mailbox_, ticket); }

void PasswdSource::take_answers() {
  for (Checked& checked : mailbox_->take()) {
    Answer answer;
    answer.ticket = checked.ticket;
    answer.kind = checked.fault == Fault::None ? Answer::Kind::Accepted : Answer::Kind::Refused;
    answer.refusal = {checked.fault, {}, {}};
    answer.destination.pool = std::move(checked.pool);
    answer.destination.backend = std::move(checked.backend);
    deliver_(std::move(answer));
  }
}

}  // namespace postern::auth
