#include "parsers/proxy_header.h"
#include "proxy/session_context.h"

namespace postern {

namespace {

// The limits count the client that the PROXY header names, so they can't be asked before.
Step admit(SessionContext& context, std::string received) {
  auto ticket = context.host.limiter().admit(context.record.client.address);
  if (!ticket) {
    context.metrics.connection_refused(ticket.error());
    context.end(observe::EndedBy::Policy, ticket.error());
    return Over{};
  }
  context.address_ticket = std::move(*ticket);
  if (context.listener.tls == conf::ListenTls::Implicit) {
    auto next = std::make_unique<Handshake>();
    next->received = std::move(received);
    return next;
  }
  auto next = std::make_unique<Login>();
  next->received = std::move(received);
  return next;
}

Step malformed(SessionContext& context, std::string detail) {
  context.metrics.connection_refused(Fault::ProxyHeader);
  context.end(observe::EndedBy::Policy, Fault::ProxyHeader, std::move(detail));
  return Over{};
}

}  // namespace

Step Preface::begin(SessionContext& context) {
  if (!context.listener.needs_proxy_header(context.record.peer.address)) return admit(context, {});
  context.front.want_read(true);
  return Keep{};
}

Step Preface::front_readable(SessionContext& context) {
  const Channel::Reading reading = context.front.read();
  received.append(reading.bytes);
  const auto result = parse_proxy_header(received);
  if (const auto* invalid = std::get_if<ProxyHeaderInvalid>(&result)) {
    return malformed(context, std::string(invalid->reason));
  }
  if (const auto* complete = std::get_if<ProxyHeaderComplete>(&result)) {
    if (complete->header.has_addresses) {
      context.record.client = complete->header.source;
      context.record.local = complete->header.destination;
      context.by_proxy_header = true;
    }
    return admit(context, received.substr(complete->size));
  }
  if (reading.state != Channel::Reading::State::Open) return client_gone(context, "no PROXY header");
  return Keep{};
}

Preface::~Preface() { wipe(received.data(), received.size()); }

Step Preface::expired(SessionContext& context) {
  context.end_late("no PROXY header");
  return Over{};
}

Step Preface::dismiss(SessionContext& context, Fault reason) {
  context.end(observe::EndedBy::Killed, reason);
  return Over{};
}

Time Preface::deadline(const SessionContext& context) const { return context.login_deadline(); }

}  // namespace postern
