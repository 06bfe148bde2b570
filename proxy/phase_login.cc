#include <algorithm>

#include "parsers/imap/capability.h"
#include "parsers/pop3/capa.h"
#include "parsers/sasl.h"
#include "proxy/session_context.h"

namespace postern {

namespace {

constexpr std::size_t kAnswers = std::size_t{16} * 1024;  // octets that are said in one piece at most

bool offers_mechanism(Protocol protocol, std::string_view list, std::string_view mechanism) {
  if (protocol == Protocol::Pop3) return pop3::lists_mechanism(list, mechanism);
  return has_capability(list, std::string("AUTH=").append(mechanism));
}

// None that can't work is offered: where the store decides about tokens, all stores that have told must take
// them. As long as none has (`of_stores` is nullptr) they are offered, for perhaps only a login will tell.
bool can_work(const SessionContext& context, Mechanism mechanism, const std::string* of_stores) {
  switch (mechanism) {
    case Mechanism::XOAuth2:
    case Mechanism::OAuthBearer:
      return context.snapshot->auth.by != conf::AuthBy::Store || of_stores == nullptr ||
             offers_mechanism(context.protocol(), *of_stores, sasl_name_of(mechanism));
    case Mechanism::External:
      // Before STARTTLS nobody knows; the handshake withdraws it from those who have none.
      return context.certificate ||
             (context.snapshot->asks_for_certificates && context.listener.tls == conf::ListenTls::StartTls);
    default:
      return true;
  }
}

FrontSetup setup_for(const SessionContext& context) {
  const Snapshot& snapshot = *context.snapshot;
  FrontSetup setup;
  setup.host_name = snapshot.host_name;
  // A listener without TLS is on loopback alone: its clear text is meant.
  setup.secure = context.front.secure() || context.listener.tls == conf::ListenTls::None;
  setup.starttls = context.listener.tls == conf::ListenTls::StartTls;
  const auto shared = snapshot.capabilities->shared(context.protocol());
  if (shared) setup.store_capabilities = *shared;
  for (const Mechanism mechanism : snapshot.auth.mechanisms) {
    if (can_work(context, mechanism, shared.get())) setup.mechanisms.push_back(mechanism);
  }
  if (const auto source = context.host.services().source()) {
    for (std::string& name : source->mechanisms()) {
      if (snapshot.auth.relay_all ||
          std::ranges::find(snapshot.auth.relayed, name) != snapshot.auth.relayed.end())
        setup.relayed.push_back(std::move(name));
    }
  }
  // An inner proxy names the client by XCLIENT only when it is invited to.
  setup.invite_xclient = context.listener.trusts(context.record.peer.address);
  setup.limits = {snapshot.limits.line, snapshot.limits.literal, snapshot.limits.bad_commands};
  return setup;
}

}  // namespace

Step Login::begin(SessionContext& context) {
  if (!dialogue) dialogue = make_front(context.protocol(), setup_for(context));
  if (!received.empty()) {
    dialogue->receive(received);
    wipe(received.data(), received.size());
    received.clear();
  }
  // Bytes that came with the last flight of the handshake wait inside TLS: no event will tell of them.
  return take(context, context.front.read_early());
}

Step Login::front_readable(SessionContext& context) { return take(context, context.front.read()); }

Step Login::front_flushed(SessionContext& context) { return run(context); }

Step Login::take(SessionContext& context, const Channel::Reading& reading) {
  if (!reading.bytes.empty()) dialogue->receive(reading.bytes);
  wipe_scratch(reading.bytes);
  if (reading.state == Channel::Reading::State::Failed) return client_gone(context);
  if (reading.state != Channel::Reading::State::Open) front_ended = true;
  return run(context);
}

// Until everything was answered, or the client has to read before it is.
Step Login::run(SessionContext& context) {
  std::string output;
  // Everything that is to be said at once goes out in one piece.
  const auto say = [&context, &output] {
    const bool good = output.empty() || context.front.write(output);
    output.clear();
    return good;
  };
  for (;;) {
    FrontEvent event = dialogue->next();
    if (auto* send = std::get_if<Send>(&event)) {
      output += send->bytes;
      if (output.size() < kAnswers) continue;
      // A client that does not read its answers is not answered further.
      if (!say()) return client_gone(context);
      if (context.front.unwritten() == 0) continue;
      context.front.want_read(false);
      return Keep{};
    }
    if (!say()) return client_gone(context);
    if (std::holds_alternative<NeedData>(event)) {
      if (front_ended) return client_gone(context);
      // A client that does not read its answers is not listened to.
      context.front.want_read(context.front.unwritten() == 0);
      return Keep{};
    }
    if (std::holds_alternative<StartTls>(event)) {
      auto next = std::make_unique<Handshake>();
      next->dialogue = std::move(dialogue);
      return next;
    }
    if (auto* request = std::get_if<LoginRequest>(&event)) {
      auto attempt = std::make_unique<Attempt>();
      attempt->dialogue = std::move(dialogue);
      attempt->credentials = std::move(request->credentials);
      attempt->began = context.reactor.now();
      attempt->front_ended = front_ended;
      auto next = std::make_unique<Authenticate>();
      next->attempt = std::move(attempt);
      return next;
    }
    const Fault fault = std::get<Close>(event).fault;
    if (fault == Fault::None) {
      context.end_well();
    } else {
      context.end(observe::EndedBy::Policy, fault);
    }
    return std::make_unique<Closing>();
  }
}

Step Login::expired(SessionContext& context) {
  const Fault fault = context.end_late();
  return say_and_close(context, dialogue->farewell(fault));
}

Step Login::dismiss(SessionContext& context, Fault reason) {
  context.end(observe::EndedBy::Killed, reason);
  return say_and_close(context, dialogue->farewell(reason));
}

Time Login::deadline(const SessionContext& context) const { return context.login_deadline(); }

}  // namespace postern
