#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/admission.h"
#include "proxy/auth/failure_delay.h"
#include "proxy/auth/limiter.h"
#include "proxy/channel.h"
#include "proxy/departures.h"
#include "proxy/login_lines.h"
#include "proxy/net/reactor.h"
#include "proxy/observe/log.h"
#include "proxy/observe/record.h"
#include "proxy/observe/worker_metrics.h"
#include "proxy/phases.h"
#include "proxy/services.h"
#include "proxy/snapshot.h"
#include "proxy/tls/peer_certificate.h"

namespace postern {

// What a session asks of its worker. A simulation gives another.
class SessionHost {
 public:
  virtual net::Reactor& reactor() = 0;
  virtual observe::WorkerMetrics& metrics() = 0;
  virtual observe::Log& log() = 0;
  virtual auth::Limiter& limiter() = 0;
  virtual auth::FailureDelay& failure_delay() = 0;
  virtual Admission& admission() = 0;
  virtual Departures& departures() = 0;
  virtual LoginLines& login_lines() = 0;
  virtual std::string new_session_id() = 0;
  // Never the same twice while an answer for the former may be under way.
  virtual std::uint32_t new_generation() = 0;

  // What this worker asks about users. A session may meet the services of a later configuration than its own.
  virtual Services& services() = 0;

  // From 0 to 1, for what must not happen to all clients at the same time.
  virtual double random() = 0;

  // Is this one of our own listeners?
  virtual bool is_own(const Endpoint& endpoint) const = 0;

  // The session has ended: it is destroyed at the end of this turn of the loop or, in a crowd, of a later
  // one.
  virtual void bury(std::uint32_t slot) = 0;

 protected:
  ~SessionHost() = default;
};

// The sides of a session, as numbers for its transports.
inline constexpr int kFront = 0;
inline constexpr int kBack = 1;

// What lives as long as the session, in whatever phase.
struct SessionContext {
  SessionHost& host;
  net::Reactor& reactor;
  observe::WorkerMetrics& metrics;
  std::shared_ptr<const Snapshot> snapshot;
  const ListenerPlan& listener;  // the snapshot's
  net::TransportOwner* owner;    // the session, for the connections that its phases dial
  Channel front;
  net::AnswerTicket ticket;  // of the present phase: late answers for another are dropped
  Time accepted;
  auth::Limiter::AddressTicket address_ticket;
  Endpoint socket{};             // our end of the client's connection
  bool by_proxy_header = false;  // record.client and record.local came with a PROXY header
  std::optional<tls::PeerCertificate> certificate{};  // the client's, verified
  std::string foreign_backend{};                      // its name, for the record
  unsigned hops_left = 6;                             // Dovecot's count begins at 7, and we are one hop
  observe::SessionRecord record;

  Protocol protocol() const { return listener.protocol; }
  Time login_deadline() const { return accepted + snapshot->limits.login_time; }
  // What a newcomer is due to do in its phase, noted until its turn comes.
  struct Due {
    bool front_readable = false;
    bool front_writable = false;
    bool back_readable = false;
    bool back_writable = false;
    bool asked = false;  // the phase itself has asked for a turn
  };
  Due due{};
  bool in_line = false;  // of Admission, with `ticket`
  // May what is due be done now? False: the session stands in line.
  bool takes_turn();
  // A newcomer's phase asks before a step of its own that costs. False: Phase::admitted() will tell.
  bool ask_for_turn();

  // The last moment to refuse a login so that the client hears of it before login_deadline().
  Time time_to_tell() const;
  // Whoever is asked something at `asked` has so little of login_time left that silence is not its fault.
  bool too_late_to_ask(Time asked) const;
  // When a wait of a login that begins now is over: in time to tell the answer before login_deadline().
  Time end_of_wait(Duration wait) const;

  // Notes why the session ends, and in which phase. The first reason stays.
  void end(observe::EndedBy by, Fault fault, std::string detail = {});
  // The same when it was the client's turn and login_time is over: its fault, or ours when it stands in line.
  Fault end_late(std::string detail = {});
  // The same for an end in good order: the client said LOGOUT or QUIT.
  void end_well();
  const Phase* phase = nullptr;
  bool end_noted = false;
  Fault last_refusal = Fault::None;  // of a login; the log line names it when the session never got further
};

// What all phases before login do when the client has gone.
Step client_gone(SessionContext& context, std::string detail = {});

// The login as a source and the policy service are asked about it.
auth::Question question(const SessionContext& context, const Attempt& attempt, net::AnswerTicket ticket);

// Tells the policy service, where there is one, how a login ended: once for each login.
void report(SessionContext& context, Attempt& attempt, Fault fault);

// Says the last words and goes over to closing; the reason has been noted.
Step say_and_close(SessionContext& context, std::string_view words);

}  // namespace postern
