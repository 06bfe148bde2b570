#include <utility>

#include "proxy/session_context.h"

namespace postern {

namespace {

// What an inner proxy told of the client, when this listener believes it. False: it can't be believed.
bool adopt(SessionContext& context, const Forwarded& forwarded) {
  if (!context.listener.trusts(context.record.peer.address)) return true;
  if (forwarded.malformed) return false;
  if (forwarded.client) context.record.client = *forwarded.client;
  if (forwarded.connected) context.record.local = *forwarded.connected;
  if (!forwarded.session.empty()) context.record.session = forwarded.session;
  if (!forwarded.server_name.empty()) context.record.server_name = forwarded.server_name;
  if (forwarded.hops_left) context.hops_left = *forwarded.hops_left == 0 ? 0 : *forwarded.hops_left - 1;
  return true;
}

// The user's name as the certificate says it; empty: it does not.
std::string certificate_name(const SessionContext& context) {
  if (!context.certificate) return {};
  if (context.snapshot->auth.certificate_name == conf::CertificateName::CommonName) {
    return context.certificate->common_name;
  }
  // Of two names nobody could say which is meant.
  return context.certificate->emails.size() == 1 ? context.certificate->emails.front() : std::string();
}

// "user*master": the login name of somebody who acts as the user.
void split_master(Credentials& credentials, const std::string& separator) {
  const bool named = credentials.mechanism == Mechanism::Command ||
                     credentials.mechanism == Mechanism::Plain || credentials.mechanism == Mechanism::Login;
  if (separator.empty() || !named || !credentials.authorization.empty()) return;
  const std::size_t place = credentials.user.find(separator);
  if (place == 0 || place == std::string::npos || place + separator.size() == credentials.user.size()) return;
  credentials.authorization = credentials.user.substr(0, place);
  credentials.user.erase(0, place + separator.size());
}

}  // namespace

Authenticate::~Authenticate() {
  if (source_) source_->cancel(ticket_);
}

Step Authenticate::begin(SessionContext& context) {
  ticket_ = context.ticket;
  began_ = attempt->began;
  attempt->client_id = attempt->dialogue->client_id();
  observe::SessionRecord& record = context.record;
  // Of the attempt before.
  record.user.clear();
  record.detail.clear();
  record.pool = record.backend = record.how = {};
  record.lookup = record.queue = record.connect = record.store_login = std::nullopt;
  Credentials& credentials = attempt->credentials;
  record.mechanism = credentials.mechanism;
  if (!record.dialogue)
    record.dialogue = attempt->began - context.accepted - record.handshake.value_or(Time::duration::zero());
  if (!adopt(context, attempt->dialogue->forwarded())) return refuse({Fault::ProxyHeader, {}, {}});
  if (context.hops_left == 0) return refuse({Fault::Loop, {}, {}});
  if (Step step = prepare(context); !std::holds_alternative<Keep>(step)) return step;
  // Who a relayed mechanism is about only its source will tell.
  return credentials.user.empty() ? ask_source(context) : ask_policy(context);
}

void Authenticate::leave(SessionContext& context) { context.record.lookup = context.reactor.now() - began_; }

// Who asks to be whom, as far as the client's own words go.
Step Authenticate::prepare(SessionContext& context) {
  Credentials& credentials = attempt->credentials;
  const conf::AuthBy by = context.snapshot->auth.by;
  split_master(credentials, context.snapshot->auth.master_separator);
  if (credentials.mechanism == Mechanism::External) {
    credentials.user = certificate_name(context);
    if (credentials.user.empty()) {
      context.record.user = credentials.authorization;
      context.record.detail =
          "the client's certificate has no name of the kind that auth.certificate_name asks for";
      return refuse({Fault::BadCredentials, {}, {}});
    }
    if (credentials.authorization == credentials.user) credentials.authorization.clear();
  }
  attempt->user = credentials.authorization.empty() ? credentials.user : credentials.authorization;
  context.record.user = attempt->user;
  if (attempt->user.empty() && by == conf::AuthBy::Store) {
    context.record.detail = "the client named no user, and only the store could read its token";
    return refuse({Fault::BadCredentials, {}, "The token must come with a user name."});
  }
  // A store and Dovecot decide themselves who may act as whom; a password file and an HTTP service have no
  // word for it.
  if (!credentials.authorization.empty() && (by == conf::AuthBy::Passwd || by == conf::AuthBy::Http)) {
    context.record.detail = credentials.user + " may not act as another user";
    return refuse({Fault::NotAuthorized, {}, {}});
  }
  return Keep{};
}

Step Authenticate::allowed(SessionContext& context) { return identified_ ? look_up() : ask_source(context); }

Step Authenticate::ask_source(SessionContext& context) {
  if (context.snapshot->auth.by == conf::AuthBy::Store) return look_up();
  auto source = context.host.services().source(context.snapshot->auth.by);
  if (!source) {
    context.record.detail = "the source of identities went away with a reload";
    return refuse({Fault::AuthUnavailable, {}, {}});
  }
  if (!source->ask(question(context, *attempt, ticket_))) {
    context.record.detail = "too many logins wait for the source of identities";
    context.metrics.source.answered(observe::SourceResult::Temporary);
    return refuse({Fault::AuthUnavailable, {}, {}});
  }
  source_ = std::move(source);
  waiting_ = observe::Held(context.metrics.source.waiting);
  asked_at_ = context.reactor.now();
  return Keep{};
}

void Authenticate::count(SessionContext& context, const auth::Answer& answer) {
  observe::SourceMetrics& metrics = context.metrics.source;
  metrics.wait.observe(context.reactor.now() - asked_at_);
  if (answer.kind == auth::Answer::Kind::Challenge) return;
  waiting_.release();
  if (answer.kind == auth::Answer::Kind::Accepted) {
    metrics.answered(observe::SourceResult::Accepted);
  } else {
    const bool refused = describe(answer.refusal.fault).blame == Blame::Credentials;
    metrics.answered(refused ? observe::SourceResult::Refused : observe::SourceResult::Temporary);
  }
}

Step Authenticate::identified(SessionContext& context, auth::Answer&& answer) {
  if (source_) count(context, answer);
  if (answer.kind == auth::Answer::Kind::Challenge) return challenge(context, answer.challenge);
  source_.reset();
  if (!answer.detail.empty()) context.record.detail = answer.detail;
  if (answer.kind == auth::Answer::Kind::Accepted) {
    attempt->destination = std::move(answer.destination);
    if (!attempt->destination.user.empty()) attempt->user = attempt->destination.user;
    if (attempt->credentials.user.empty()) attempt->credentials.user = attempt->user;
    context.record.user = attempt->user;
    identified_ = true;
    hold_for(context, answer.wait);
    return ask_policy(context);
  }
  if (attempt->credentials.user.empty() && !answer.destination.user.empty()) {
    name_user(context, std::move(answer.destination.user));
  }
  auto next = std::make_unique<Refuse>();
  if (attempt->is_token()) next->error = std::move(answer.challenge);
  next->refusal = std::move(answer.refusal);
  next->at_least = answer.wait;
  next->close = answer.close;
  next->attempt = std::move(attempt);
  return next;
}

// The source says who it refused, where the client's own words did not: log and policy service shall know.
void Authenticate::name_user(SessionContext& context, std::string user) {
  context.record.user = user;
  attempt->user = user;
  attempt->credentials.user = std::move(user);
  const auto policy = context.host.services().policy();
  if (policy && !attempt->policy) attempt->policy = policy->question(question(context, *attempt, ticket_));
}

Step Authenticate::answered(SessionContext& context, Secret message) {
  asked_at_ = context.reactor.now();
  source_->respond(ticket_, std::move(message));
  return Keep{};
}

Step Authenticate::unanswered(SessionContext& context) {
  if (!source_) return AskingPolicy::unanswered(context);
  context.record.detail = "the source of identities: no answer before login_time was over";
  context.metrics.source.answered(observe::SourceResult::Temporary);
  return refuse({Fault::AuthUnavailable, {}, {}});
}

// The credentials are right, or the store will tell.
Step Authenticate::look_up() {
  auto next = std::make_unique<Lookup>();
  next->attempt = std::move(attempt);
  return next;
}

}  // namespace postern
