#include <cerrno>
#include <cstring>

#include "parsers/proxy_header.h"
#include "proxy/session_context.h"

namespace postern {

namespace {

Fault fault_of_errno(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Fault::Exhausted;
    case ETIMEDOUT:
      return Fault::ConnectTimeout;
    case ECONNRESET:  // it accepted us, and broke off before we could look
      return Fault::StoreClosed;
    default:
      return Fault::ConnectFailed;
  }
}

std::string proxy_header(const SessionContext& context, const conf::Forward& forward) {
  if (!forward.proxy_v1 && !forward.proxy_v2) return {};
  const observe::SessionRecord& record = context.record;
  ProxyHeader header;
  header.has_addresses = true;
  header.source = record.client;
  header.destination = record.local;
  header.authority = record.server_name;
  header.secure = context.front.secure();
  header.tls_version = record.tls_version;
  header.tls_cipher = record.tls_cipher;
  return forward.proxy_v1 ? write_proxy_v1(header) : write_proxy_v2(header);
}

}  // namespace

Step Connect::begin(SessionContext& context) {
  queued_at = asked_at_ = context.reactor.now();
  return context.ask_for_turn() ? line_up(context) : Keep{};
}

void Connect::leave(SessionContext& context) {
  observe::SessionRecord& record = context.record;
  const Time now = context.reactor.now();
  if (backend != nullptr) {
    record.connect = now - asked_at_;
  } else if (waits_for != nullptr || !record.queue) {
    record.queue = now - queued_at;
  }
}

Step Connect::admitted(SessionContext& context) { return line_up(context); }

Step Connect::line_up(SessionContext& context) {
  const Time now = context.reactor.now();
  const auto choice = choose(now);
  if (!choice) {
    // Where others were tried, what the last of them said tells the client more.
    if (!attempt->tried.empty()) return refuse(attempt->last_refusal);
    context.record.detail = "no backend of pool " + attempt->pool->name + " can be used";
    return refuse({choice.error(), {}, {}});
  }
  // Of the backend before.
  context.record.connect = context.record.store_login = std::nullopt;
  auto session = pool::open_session(*choice->backend);
  auto login = session ? pool::begin_login(*choice->backend) : std::nullopt;
  if (!login) {  // full, or as many logins are under way as it may have
    if (now - queued_at >= attempt->login_time()) return no_login_slot(context, *choice->backend);
    waits_for = choice->backend;
    context.host.login_lines().wait(*waits_for, context.ticket);
    return Keep{};
  }
  if (!attempt->tried.empty()) {
    context.metrics.pools[attempt->pool->number].retries.add();
    ++context.record.retries;
  }
  backend = choice->backend;
  session_ticket = std::move(*session);
  login_ticket = std::move(*login);
  context.foreign_backend = attempt->foreign ? backend->name() : std::string();
  context.record.backend = attempt->foreign ? std::string_view(context.foreign_backend) : backend->name();
  context.record.how = name_of(choice->how);
  context.metrics.pools[attempt->pool->number].decisions[static_cast<std::size_t>(choice->how)].add();
  context.record.queue = now - queued_at;
  asked_at_ = tried_at = now;
  return begin_connect(context);
}

std::expected<pool::Choice, Fault> Connect::choose(Time now) const {
  if (attempt->foreign) return pool::Choice{&*attempt->foreign, pool::How::Fixed};
  const pool::Pool& members = *attempt->pool->members;
  if (!attempt->fixed_backend.empty()) return members.pick_fixed(attempt->fixed_backend, attempt->tried, now);
  return members.pick(attempt->user, attempt->tried, now);
}

Step Connect::begin_connect(SessionContext& context) {
  if (const auto address = Address::parse(backend->host())) return dial(context, *address);
  context.reactor.resolve(backend->host(), context.ticket);
  return Keep{};
}

Step Connect::addresses(SessionContext& context, const std::vector<Address>& addresses) {
  if (addresses.empty()) {
    return failed(context, *backend, {Fault::NameNotFound, {}, {}}, false,
                  "no address for " + backend->host());
  }
  candidates.assign(addresses.rbegin(), addresses.rend());
  const Address first = candidates.back();
  candidates.pop_back();
  return dial(context, first);
}

Step Connect::dial(SessionContext& context, const Address& address) {
  const Endpoint endpoint{address, backend->port(context.protocol())};
  if (context.host.is_own(endpoint)) {
    return failed(context, *backend, {Fault::Loop, {}, {}}, false,
                  endpoint.to_string() + " is a listener of this proxy");
  }
  // A source that was taken over must not make an open proxy of us: the address counts, not the name.
  if (attempt->foreign && !context.snapshot->auth.allows_host(address)) {
    return failed(context, *backend, {Fault::HostNotAllowed, {}, {}}, false,
                  endpoint.to_string() + " is not inside auth.allowed_hosts");
  }
  auto transport = context.reactor.dial(endpoint, context.owner, kBack);
  if (!transport)
    return connect_failed(context, fault_of_errno(transport.error()), std::strerror(transport.error()));
  back.emplace(context.reactor, std::move(*transport));
  back->await_connection();
  return Keep{};
}

Step Connect::connect_failed(SessionContext& context, Fault fault, std::string detail) {
  back.reset();
  if (!candidates.empty()) {
    const Address next = candidates.back();
    candidates.pop_back();
    established = false;
    tried_at = context.reactor.now();
    return dial(context, next);
  }
  return failed(context, *backend, {fault, {}, {}}, false, std::move(detail));
}

Step Connect::back_ready(SessionContext& context, bool readable, bool writable) {
  if (!established) {
    if (const int error = back->connect_error(); error != 0) {
      return connect_failed(context, fault_of_errno(error), std::strerror(error));
    }
    return connected(context);
  }
  if (writable && !back->flush())
    return failed(context, *backend, {Fault::StoreClosed, {}, {}}, false, "closed");
  if (readable) return secure(context, back->handshake());
  return Keep{};
}

Step Connect::connected(SessionContext& context) {
  established = true;
  if (!back->write_clear(proxy_header(context, attempt->pool->forward))) {
    return failed(context, *backend, {Fault::StoreClosed, {}, {}}, false, "closed before its greeting");
  }
  if (attempt->store_tls() == conf::StoreTls::Implicit) {
    back->begin_tls(attempt->store_tls_context(*context.snapshot)
                        .connect(backend->host(),
                                 backend->host() + ":" + std::to_string(backend->port(context.protocol()))));
    back->want_read(true);
    return secure(context, back->handshake(std::string_view{}));
  }
  return hand_over(context);
}

Step Connect::secure(SessionContext& context, tls::Status status) {
  switch (status) {
    case tls::Status::NeedInput:
    case tls::Status::Signing:  // the front's alone
      return Keep{};
    case tls::Status::Closed:
      return failed(context, *backend, {Fault::StoreClosed, {}, {}}, false,
                    "closed during the TLS handshake");
    case tls::Status::Failed:
      return failed(context, *backend, {Fault::StoreTls, {}, {}}, false,
                    std::string(name_of(back->tls().failure())) + ": " + back->tls().failure_text());
    case tls::Status::Done:
      break;
  }
  observe::PoolMetrics& metrics = context.metrics.pools[attempt->pool->number];
  (back->tls().agreement().resumed ? metrics.tls_resumed : metrics.tls_full).add();
  return hand_over(context);
}

Step Connect::hand_over(SessionContext& context) {
  context.metrics.backend_connect.observe(context.reactor.now() - asked_at_);
  auto next = std::make_unique<StoreLogin>();
  next->attempt = std::move(attempt);
  next->backend = backend;
  next->session_ticket = std::move(session_ticket);
  next->login_ticket = std::move(login_ticket);
  next->back = std::move(back);
  return next;
}

Step Connect::expired(SessionContext& context) {
  const Time now = context.reactor.now();
  if (now >= Waiting::deadline(context)) return Waiting::expired(context);
  if (!login_ticket) return no_login_slot(context, *waits_for);
  return connect_failed(context, silent_fault(), silence());
}

Step Connect::unanswered(SessionContext& context) {
  if (login_ticket) {
    blame(context, *backend, {silent_fault(), {}, {}}, false, silence());
    return refuse(attempt->last_refusal);
  }
  if (!attempt->tried.empty()) return refuse(attempt->last_refusal);
  if (waits_for != nullptr) return no_login_slot(context, *waits_for);
  context.record.detail = "waited in line to connect";
  return refuse({Fault::Exhausted, {}, {}});
}

Step Connect::no_login_slot(SessionContext& context, const pool::Backend& full) {
  context.record.detail = full.name() + ": waited in line for a login slot";
  return refuse({Fault::NoBackend, {}, {}});
}

Fault Connect::silent_fault() const { return back ? Fault::ConnectTimeout : Fault::NameNotFound; }

const char* Connect::silence() const {
  if (!back) return "no answer from the name servers";
  return established ? "TLS handshake not finished in time" : "no answer to connect";
}

Time Connect::deadline(const SessionContext& context) const {
  const Time latest = Waiting::deadline(context);
  if (login_ticket) return std::min(tried_at + attempt->pool->time.connect, latest);
  return waits_for != nullptr ? std::min(queued_at + attempt->login_time(), latest) : latest;
}

}  // namespace postern
