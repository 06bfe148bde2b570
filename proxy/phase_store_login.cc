#include "proxy/session_context.h"

namespace postern {

namespace {

constexpr const char* kSilent = "no answer to the login in time";

// As whom we log in: as a master that the source or the pool names, with the password that the source gave,
// or with what the client gave.
void give_credentials(const Attempt& attempt, BackSetup& setup) {
  const StorePool& pool = *attempt.pool;
  const Credentials& credentials = attempt.credentials;
  const auth::Destination& destination = attempt.destination;
  const std::string& user = destination.store_user.empty() ? attempt.user : destination.store_user;
  const Secret& given = destination.password.empty() ? credentials.password : destination.password;
  setup.user = user;
  if (!destination.master.empty()) {
    setup.user = destination.master;
    setup.authorization = user;
    setup.password = given.clone();
  } else if (pool.login == conf::LoginAs::Master) {
    setup.user = pool.master_user;
    setup.authorization = user;
    setup.password = pool.master_password.clone();
  } else if (destination.password.empty() && attempt.is_token()) {
    setup.mechanism = credentials.mechanism;
    setup.message = credentials.message.clone();
  } else {
    if (destination.password.empty() && !credentials.authorization.empty()) {
      setup.user = credentials.user;
      setup.authorization = user;
    }
    setup.password = given.clone();
  }
}

bool is_our_password(const Attempt& attempt) {
  const auth::Destination& destination = attempt.destination;
  return attempt.pool->login == conf::LoginAs::Master || !destination.master.empty() ||
         !destination.password.empty();
}

// The store has refused a password that the client never saw; the client's own was right. The words of an
// alert are for the user all the same.
void take_blame(Refusal& refusal) {
  if (refusal.fault == Fault::BadCredentials && !refusal.text.empty()) {
    refusal.fault = Fault::StoreRefused;
  } else if (refusal.fault == Fault::BadCredentials || refusal.fault == Fault::LineTooLong) {
    refusal = {Fault::MasterRefused, {}, {}};
  }
}

BackSetup setup_for(const SessionContext& context, const Attempt& attempt, bool secure) {
  const StorePool& pool = *attempt.pool;
  const observe::SessionRecord& record = context.record;
  BackSetup setup;
  setup.starttls = attempt.store_tls() == conf::StoreTls::StartTls;
  setup.secure = secure;
  setup.forward_id = pool.forward.id;
  setup.forward_xclient = pool.forward.xclient;
  setup.client.session = record.session;
  setup.client.client = record.client;
  setup.client.connected = record.local;
  setup.client.secure = context.front.secure();
  setup.client.server_name = record.server_name;
  setup.client.hops_left = context.hops_left;
  setup.client.client_id = attempt.client_id;
  setup.client.forward = attempt.destination.forward;
  give_credentials(attempt, setup);
  return setup;
}

}  // namespace

Step StoreLogin::begin(SessionContext& context) {
  asked_at_ = context.reactor.now();
  dialogue = make_back(context.protocol(), setup_for(context, *attempt, back->secure()));
  back->want_read(true);
  return take(context, back->read_early());
}

// The client's turn is no time of the store's.
void StoreLogin::leave(SessionContext& context) {
  if (asked_at_ != Time{}) context.record.store_login = context.reactor.now() - asked_at_;
}

Step StoreLogin::back_ready(SessionContext& context, bool readable, bool writable) {
  if (writable && !back->flush()) return lost(context, dialogue->closed());
  if (!readable) return Keep{};
  if (upgrading) return handshaken(context, back->handshake());
  return take(context, back->read());
}

Step StoreLogin::take(SessionContext& context, const Channel::Reading& reading) {
  if (!reading.bytes.empty()) dialogue->receive(reading.bytes);
  const auto state = reading.state;
  Step step = run(context);
  if (!std::holds_alternative<Keep>(step) || state == Channel::Reading::State::Open) return step;
  return lost(context, dialogue->closed());
}

Step StoreLogin::run(SessionContext& context) {
  for (;;) {
    BackEvent event = dialogue->next();
    if (auto* send = std::get_if<SendSecret>(&event)) {
      if (!back->write(send->bytes.reveal())) return lost(context, dialogue->closed());
      continue;
    }
    if (std::holds_alternative<StartTls>(event)) {
      upgrading = true;
      back->begin_tls(attempt->store_tls_context(*context.snapshot)
                          .connect(backend->host(), backend->host() + ":" +
                                                        std::to_string(backend->port(context.protocol()))));
      return handshaken(context, back->handshake(std::string_view{}));
    }
    if (auto* accepted = std::get_if<LoggedIn>(&event))
      return logged_in(context, std::move(accepted->welcome));
    if (auto* refused = std::get_if<Refused>(&event)) {
      Refusal& refusal = refused->refusal;
      std::string detail = "refused the login";
      if (refusal.fault == Fault::LineTooLong) {
        detail = "does not read credentials of this length";
      } else if (!refusal.text.empty()) {
        detail += ": " + refusal.text;
      }
      if (is_our_password(*attempt)) take_blame(refusal);
      if (refusal.fault == Fault::LineTooLong) {
        context.record.detail = backend->name() + ": " + detail;
        return refuse(std::move(refusal));
      }
      return failed(context, *backend, std::move(refusal), dialogue->credentials_sent(), std::move(detail));
    }
    if (auto* asked = std::get_if<postern::Challenge>(&event)) return pass_on(context, *asked);
    return Keep{};  // NeedData
  }
}

// The time until the client has answered is the client's. The store waits for it without a place in its line
// of logins, and what it sends meanwhile waits in the socket.
Step StoreLogin::pass_on(SessionContext& context, const postern::Challenge& asked) {
  context.record.store_login = context.reactor.now() - asked_at_;
  attempt->bound = true;
  login_ticket = {};
  back->want_read(false);
  return challenge(context, asked.message);
}

Step StoreLogin::answered(SessionContext& context, Secret message) {
  asked_at_ = context.reactor.now();
  back->want_read(true);
  dialogue->respond(message);
  return run(context);
}

Step StoreLogin::handshaken(SessionContext& context, tls::Status status) {
  switch (status) {
    case tls::Status::NeedInput:
    case tls::Status::Signing:  // the front's alone
      return Keep{};
    case tls::Status::Closed:
      return lost(context, {Fault::StoreClosed, {}, {}});
    case tls::Status::Failed:
      return failed(context, *backend, {Fault::StoreTls, {}, {}}, false,
                    std::string(name_of(back->tls().failure())) + ": " + back->tls().failure_text());
    case tls::Status::Done:
      break;
  }
  observe::PoolMetrics& metrics = context.metrics.pools[attempt->pool->number];
  (back->tls().agreement().resumed ? metrics.tls_resumed : metrics.tls_full).add();
  upgrading = false;
  dialogue->secured();
  return take(context, back->read_early());
}

Step StoreLogin::lost(SessionContext& context, const Refusal& refusal) {
  const bool after = dialogue->credentials_sent();
  return failed(context, *backend, refusal, after,
                after ? "closed the connection before it answered the login"
                      : "closed the connection before the login");
}

Step StoreLogin::logged_in(SessionContext& context, StoreWelcome welcome) {
  const Time now = context.reactor.now();
  if (!attempt->foreign) {
    attempt->pool->members->note(*backend, Fault::None, now);
    if (const std::string told = dialogue->capabilities(); !told.empty()) {
      context.snapshot->capabilities->learn(*backend, context.protocol(), told);
    }
  }
  context.metrics.backend_login.observe(now - asked_at_);
  auto next = std::make_unique<Approve>();
  next->session_ticket = std::move(session_ticket);
  next->welcome = std::move(welcome);
  next->store_rest = dialogue->take_rest();
  next->back = std::move(back);
  next->attempt = std::move(attempt);
  return next;
}

Step StoreLogin::expired(SessionContext& context) {
  if (context.reactor.now() >= Waiting::deadline(context)) return Waiting::expired(context);
  return failed(context, *backend, {Fault::StoreTimeout, {}, {}}, dialogue->credentials_sent(), kSilent);
}

Step StoreLogin::unanswered(SessionContext& context) {
  blame(context, *backend, {Fault::StoreTimeout, {}, {}}, dialogue->credentials_sent(), kSilent);
  return refuse(attempt->last_refusal);
}

Time StoreLogin::deadline(const SessionContext& context) const {
  const Time latest = Waiting::deadline(context);
  return challenged() ? latest : std::min(asked_at_ + attempt->login_time(), latest);
}

}  // namespace postern
