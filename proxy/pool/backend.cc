#include "proxy/pool/backend.h"

#include "proxy/pool/rendezvous.h"

namespace postern::pool {

Backend::Backend(const conf::Pool& pool, const conf::Backend& settings, std::shared_ptr<BackendState> state)
    : pool_(pool.name),
      name_(settings.name),
      host_(settings.host),
      ports_{pool.imap_port, pool.pop3_port},
      weight_(settings.weight),
      priority_(settings.priority),
      session_limit_(pool.limits.sessions),
      pending_login_limit_(pool.limits.pending_logins),
      seed_(backend_seed(settings.name)),
      state_(std::move(state)) {
  static_assert(static_cast<std::size_t>(Protocol::Imap) == 0 &&
                static_cast<std::size_t>(Protocol::Pop3) == 1);
}

std::optional<SessionTicket> open_session(const Backend& backend) {
  return SessionTicket::try_acquire(backend.state(), backend.session_limit());
}

std::optional<LoginTicket> begin_login(const Backend& backend) {
  return LoginTicket::try_acquire(backend.state(), backend.pending_login_limit());
}

}  // namespace postern::pool
