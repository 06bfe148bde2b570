#include <algorithm>

#include "proxy/session_context.h"

namespace postern {

namespace {

observe::PolicyResult result_of(auth::PolicyAnswer::Verdict verdict) {
  switch (verdict) {
    case auth::PolicyAnswer::Verdict::Allow:
      return observe::PolicyResult::Allowed;
    case auth::PolicyAnswer::Verdict::Reject:
      return observe::PolicyResult::Rejected;
    case auth::PolicyAnswer::Verdict::Unavailable:
      break;
  }
  return observe::PolicyResult::Unavailable;
}

}  // namespace

AskingPolicy::~AskingPolicy() {
  if (policy_) policy_->cancel(ticket_);
}

Step AskingPolicy::ask_policy(SessionContext& context) {
  ticket_ = context.ticket;
  auto policy = context.host.services().policy();
  if (!policy) return go_on(context);
  if (!attempt->policy) attempt->policy = policy->question(question(context, *attempt, ticket_));
  if (policy->ask(ticket_, *attempt->policy)) {
    policy_ = std::move(policy);
    asked_at_ = context.reactor.now();
    return Keep{};
  }
  return this->policy(context, {.ticket = ticket_,
                                .verdict = auth::PolicyAnswer::Verdict::Unavailable,
                                .wait = {},
                                .detail = "too many questions to the policy service are under way"});
}

Step AskingPolicy::policy(SessionContext& context, const auth::PolicyAnswer& answer) {
  observe::PolicyMetrics& metrics = context.metrics.policy;
  if (policy_) metrics.wait.observe(context.reactor.now() - asked_at_);
  metrics.answered(result_of(answer.verdict));
  policy_.reset();
  if (answer.verdict == auth::PolicyAnswer::Verdict::Reject) {
    context.record.detail =
        "the policy service refused" + (answer.detail.empty() ? "" : ": " + answer.detail);
    return refuse({Fault::PolicyRefused, {}, {}});
  }
  if (answer.verdict == auth::PolicyAnswer::Verdict::Unavailable && context.snapshot->auth.policy &&
      context.snapshot->auth.policy->reject_on_failure) {
    context.record.detail = "the policy service: " + answer.detail;
    return refuse({Fault::AuthUnavailable, {}, {}});
  }
  hold_for(context, answer.wait);
  return go_on(context);
}

Step AskingPolicy::go_on(SessionContext& context) {
  if (hold_until_ != kNever && hold_until_ > context.reactor.now()) return Keep{};
  hold_until_ = kNever;
  return allowed(context);
}

void AskingPolicy::hold_for(const SessionContext& context, Duration wait) {
  if (wait <= Duration::zero()) return;
  const Time until = context.end_of_wait(wait);
  hold_until_ = hold_until_ == kNever ? until : std::max(hold_until_, until);
}

Step AskingPolicy::unanswered(SessionContext& context) {
  policy_->cancel(ticket_);
  return policy(context, {.ticket = ticket_,
                          .verdict = auth::PolicyAnswer::Verdict::Unavailable,
                          .wait = {},
                          .detail = "no answer before login_time was over"});
}

Step AskingPolicy::expired(SessionContext& context) {
  if (policy_ || hold_until_ == kNever) return Waiting::expired(context);
  hold_until_ = kNever;
  return allowed(context);
}

Time AskingPolicy::deadline(const SessionContext& context) const {
  return std::min(policy_ ? kNever : hold_until_, Waiting::deadline(context));
}

}  // namespace postern
