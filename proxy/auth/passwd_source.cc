#include "proxy/auth/passwd_source.h"

#include <utility>

namespace postern::auth {

PasswdSource::PasswdSource(std::shared_ptr<Verifier> verifier, std::function<void()> wake, Deliver deliver)
    : verifier_(std::move(verifier)),
      mailbox_(std::make_shared<Mailbox>(std::move(wake))),
      deliver_(std::move(deliver)) {}

PasswdSource::~PasswdSource() { mailbox_->close(); }

bool PasswdSource::ask(const Question& question) {
  const Credentials& credentials = *question.credentials;
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
