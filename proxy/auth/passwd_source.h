#pragma once

#include <functional>
#include <memory>

#include "proxy/auth/source.h"
#include "proxy/auth/verifier.h"

namespace postern::auth {

// auth.passwd_file, as a worker asks it: the verifier's threads do the work, and what they say waits in a
// mailbox until the worker takes it.
class PasswdSource final : public Source {
 public:
  // `wake` is called by another thread when answers wait: see Mailbox.
  PasswdSource(std::shared_ptr<Verifier> verifier, std::function<void()> wake, Deliver deliver);
  PasswdSource(const PasswdSource&) = delete;
  ~PasswdSource() override;

  // Delivers the answers that wait.
  void take_answers();

  // Mechanisms that give a password, and EXTERNAL: then the certificate is the proof, and the file only has
  // to have the user. All else is AuthUnavailable; who asks to act as another user is NotAuthorized.
  bool ask(const Question& question) override;
  void respond(net::AnswerTicket, Secret) override {}  // it gives no challenges
  void cancel(net::AnswerTicket ticket) override;

 private:
  std::shared_ptr<Verifier> verifier_;
  std::shared_ptr<Mailbox> mailbox_;
  Deliver deliver_;
};

}  // namespace postern::auth
