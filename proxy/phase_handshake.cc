#include <utility>

#include "proxy/session_context.h"

namespace postern {

Step Handshake::begin(SessionContext& context) {
  began = context.reactor.now();
  context.front.begin_tls(context.snapshot->tls->accept(context.protocol()));
  context.front.want_read(true);
  if (received.empty()) return Keep{};
  return proceed(context, context.front.handshake(std::exchange(received, {})));
}

Step Handshake::front_readable(SessionContext& context) {
  return proceed(context, context.front.handshake());
}

Step Handshake::offloaded(SessionContext& context) {
  context.front.want_read(true);
  return proceed(context, context.front.handshake({}));
}

Step Handshake::proceed(SessionContext& context, tls::Status status) {
  if (context.front.tls().has_read_hello()) due_ = Admission::Step::Finish;
  if (status == tls::Status::NeedInput) return Keep{};
  if (status == tls::Status::Signing) {
    context.front.want_read(false);
    context.reactor.offload(context.front.tls().signing(), context.ticket);
    return Keep{};
  }
  const tls::Stream& tls = context.front.tls();
  context.record.server_name = tls.server_name();
  if (status == tls::Status::Done) {
    const tls::Agreement agreement = tls.agreement();
    context.record.handshake = context.reactor.now() - began;
    context.record.tls_version = agreement.version;
    context.record.tls_cipher = agreement.cipher;
    context.record.tls_resumed = agreement.resumed;
    if (context.snapshot->asks_for_certificates) context.certificate = tls.peer_certificate();
    context.metrics.tls_done(agreement.version, agreement.resumed);
    context.metrics.tls_handshake.observe(*context.record.handshake);
    if (dialogue) dialogue->secured();
    if (dialogue && !context.certificate) dialogue->withdraw(Mechanism::External);
    auto next = std::make_unique<Login>();
    next->dialogue = std::move(dialogue);
    return next;
  }
  if (status == tls::Status::Closed) {
    return client_gone(context, context.front.error() == 0 ? "closed during the TLS handshake"
                                                           : "reset during the TLS handshake");
  }
  context.metrics.tls_failures[static_cast<std::size_t>(tls.failure())].add();
  std::string detail(name_of(tls.failure()));
  if (const std::string text = tls.failure_text(); !text.empty()) detail += ": " + text;
  context.end(observe::EndedBy::Client, Fault::ClientTls, std::move(detail));
  // The alert is under way: closing at once could reset the connection before the client has read it.
  auto closing = std::make_unique<Closing>();
  closing->ending = Channel::Ending::Cut;
  return closing;
}

Step Handshake::expired(SessionContext& context) {
  context.end_late("TLS handshake not finished");
  return Over{};
}

Step Handshake::dismiss(SessionContext& context, Fault reason) {
  context.end(observe::EndedBy::Killed, reason);
  return Over{};
}

Time Handshake::deadline(const SessionContext& context) const { return context.login_deadline(); }

}  // namespace postern
