#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parsers/boundary.h"
#include "parsers/dialogue.h"
#include "proxy/admission.h"
#include "proxy/auth/limiter.h"
#include "proxy/auth/policy.h"
#include "proxy/auth/source.h"
#include "proxy/channel.h"
#include "proxy/observe/counters.h"
#include "proxy/observe/record.h"
#include "proxy/pool/pool.h"
#include "proxy/route/map.h"
#include "proxy/snapshot.h"

// The phases of a session. Each is a value that owns what only it needs; leaving a phase destroys it, and
// with it its timers, buffers, secrets, pending answers and the connection to the store. A phase never
// changes the session's phase itself: it answers what shall happen (Step), and the session does it.

namespace postern {

struct SessionContext;  // session_context.h
class Phase;

struct Keep {};  // stay in this phase
struct Over {};  // the session is done; nothing more can be said
// or: enter another phase

using Step = std::variant<Keep, Over, std::unique_ptr<Phase>>;

// What every phase answers to. Events that a phase does not expect are not delivered to it.
class Phase {
 public:
  virtual ~Phase() = default;
  // Called once, right after the phase was entered.
  virtual Step begin(SessionContext& context) = 0;
  // Called once, when the phase is over, whatever comes behind it.
  virtual void leave(SessionContext&) {}
  // The client's side may have bytes. Told only while the phase has asked to read.
  virtual Step front_readable(SessionContext& context) = 0;
  // Everything that waited for the client's socket has been written.
  virtual Step front_flushed(SessionContext&) { return Keep{}; }
  virtual Step back_ready(SessionContext&, bool /*readable*/, bool /*writable*/) { return Keep{}; }
  virtual Step addresses(SessionContext&, const std::vector<Address>&) { return Keep{}; }
  virtual Step policy(SessionContext&, const auth::PolicyAnswer&) { return Keep{}; }
  virtual Step identified(SessionContext&, auth::Answer&&) { return Keep{}; }
  virtual Step placed(SessionContext&, route::MapAnswer&&) { return Keep{}; }
  // The phase's turn has come in the line where it stood: of Admission (it has asked for a turn), of a
  // backend's logins (LoginLines), or of Departures.
  virtual Step admitted(SessionContext&) { return Keep{}; }
  // What the phase has left to another thread is done.
  virtual Step offloaded(SessionContext&) { return Keep{}; }
  // deadline() has passed.
  virtual Step expired(SessionContext& context) = 0;
  // The proxy is shutting down, or an administrator ends the session: say goodbye and close.
  virtual Step dismiss(SessionContext& context, Fault reason) = 0;
  virtual Time deadline(const SessionContext& context) const = 0;
  virtual observe::EndedIn letter() const = 0;
  // A login is under way whose end has not been counted.
  virtual bool login_under_way() const { return false; }
  // Whose events wait for their turn when many newcomers are due; nullopt: it is at work, or leaves.
  virtual std::optional<Admission::Step> newcomer() const { return std::nullopt; }
  // The connection to the store, where the phase has one.
  virtual Channel* store_channel() { return nullptr; }
};

// Waits for the PROXY header that the listener's networks must send.
struct Preface final : Phase {
  std::string received;  // may hold a password behind the header

  ~Preface() override;
  Step begin(SessionContext& context) override;
  Step front_readable(SessionContext& context) override;
  Step expired(SessionContext& context) override;
  Step dismiss(SessionContext& context, Fault reason) override;
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override { return observe::EndedIn::ProxyHeader; }
  std::optional<Admission::Step> newcomer() const override { return Admission::Step::Hello; }
};

// TLS with the client: at once, or after STARTTLS (then the dialogue goes on behind it).
struct Handshake final : Phase {
  std::unique_ptr<FrontDialogue> dialogue;  // null: implicit TLS
  std::string received;                     // came in the same segment as the PROXY header
  Time began{};

  Step begin(SessionContext& context) override;
  Step front_readable(SessionContext& context) override;
  Step offloaded(SessionContext& context) override;
  Step expired(SessionContext& context) override;
  Step dismiss(SessionContext& context, Fault reason) override;
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override { return observe::EndedIn::Tls; }
  std::optional<Admission::Step> newcomer() const override { return due_; }

 private:
  Step proceed(SessionContext& context, tls::Status status);

  Admission::Step due_ = Admission::Step::Hello;
};

// Talks to the client until it wants to log in.
struct Login final : Phase {
  std::unique_ptr<FrontDialogue> dialogue;  // null: a new one, with its greeting
  std::string received;                     // clear text that came in the same segment as the PROXY header
  bool front_ended = false;  // the client has finished its direction; what it sent still counts

  Step begin(SessionContext& context) override;
  Step front_readable(SessionContext& context) override;
  Step front_flushed(SessionContext& context) override;
  Step expired(SessionContext& context) override;
  Step dismiss(SessionContext& context, Fault reason) override;
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override { return observe::EndedIn::Greeting; }
  std::optional<Admission::Step> newcomer() const override { return Admission::Step::Talk; }

 private:
  Step take(SessionContext& context, const Channel::Reading& reading);
  Step run(SessionContext& context);
};

// One try to log in, from the client's credentials to the store's answer.
struct Attempt {
  std::unique_ptr<FrontDialogue> dialogue;
  Credentials credentials;
  std::string user;                            // whose mailbox it is: for routes, homes, limits and the log
  std::string client_id;                       // FrontDialogue::client_id()
  std::optional<auth::PolicyQuestion> policy;  // for its report, where there is a policy service
  Time began{};
  bool front_ended = false;         // the client has finished its direction; what it pipelined still counts
  auth::Destination destination;    // what the source said
  const StorePool* pool = nullptr;  // the snapshot's
  std::string fixed_backend;        // the route, the map or the source names it
  std::optional<pool::Backend> foreign;  // the source named a store that is in no pool
  std::vector<const pool::Backend*> tried;
  bool bound = false;    // the client has seen a challenge of a store: no other one can go on with it
  Refusal last_refusal;  // of the backend that was tried last

  // The source's word, else the pool's.
  Duration login_time() const;
  conf::StoreTls store_tls() const;
  tls::ClientContext& store_tls_context(const Snapshot& snapshot) const;

  bool is_token() const {
    return credentials.mechanism == Mechanism::XOAuth2 || credentials.mechanism == Mechanism::OAuthBearer;
  }
};

// The phases in which the client waits for its answer. What it sends meanwhile is kept, within limits; where
// it was sent a challenge, its response is taken. Where login_time ends before the one that was asked has
// answered, the login is refused a moment earlier, with that one's fault. It is the client's fault where it
// is the client's turn, and where whoever was asked had too little time left.
struct Waiting : Phase {
  std::unique_ptr<Attempt> attempt;

  Step front_readable(SessionContext& context) override;
  Step front_flushed(SessionContext& context) override;
  Step expired(SessionContext& context) override;
  Step dismiss(SessionContext& context, Fault reason) override;
  Time deadline(const SessionContext& context) const override;
  bool login_under_way() const override { return true; }
  std::optional<Admission::Step> newcomer() const override { return Admission::Step::Talk; }

 protected:
  // Sends the client a challenge; what comes of it is answered() or cancelled(), once.
  Step challenge(SessionContext& context, std::string_view message);
  bool challenged() const { return challenged_; }  // it is the client's turn
  virtual Step answered(SessionContext&, Secret) { return Keep{}; }
  // The client gave up, and has been told. It may begin again; a token counts as refused.
  virtual Step cancelled(SessionContext& context);
  // Whoever was asked has not answered, and it is time to refuse.
  virtual Step unanswered(SessionContext& context) = 0;

  // Counts, notes and logs that a backend failed; another may be tried. `credentials_sent`: it had them.
  void blame(SessionContext& context, const pool::Backend& backend, Refusal refusal, bool credentials_sent,
             std::string detail);
  // The same; then the next backend if one may still be tried, else the refusal to the client.
  Step failed(SessionContext& context, const pool::Backend& backend, Refusal refusal, bool credentials_sent,
              std::string detail);
  Step refuse(Refusal refusal);

  // Whoever the login waits for was asked then, or got the client's response. Zero: it waits for nobody.
  Time asked_at_{};

 private:
  Step hear(SessionContext& context);
  bool challenged_ = false;
};

// The phases that ask the policy service whether the login may go on.
struct AskingPolicy : Waiting {
  ~AskingPolicy() override;
  Step policy(SessionContext& context, const auth::PolicyAnswer& answer) override;
  Step expired(SessionContext& context) override;
  Time deadline(const SessionContext& context) const override;

 protected:
  // Goes on with allowed(), at once where there is no policy service; or refuses.
  Step ask_policy(SessionContext& context);
  // Nobody objects, and no hold is left.
  virtual Step allowed(SessionContext& context) = 0;
  // allowed() waits so long, whatever the policy service says.
  void hold_for(const SessionContext& context, Duration wait);

  Step unanswered(SessionContext& context) override;

  net::AnswerTicket ticket_;

 private:
  Step go_on(SessionContext& context);

  std::shared_ptr<auth::Policy> policy_;  // that is asked now
  Time hold_until_ = kNever;              // kNever: nobody holds the login
};

// Are the credentials right? Asks the policy service and the source of identity, where there are any.
struct Authenticate final : AskingPolicy {
  ~Authenticate() override;
  Step begin(SessionContext& context) override;
  void leave(SessionContext& context) override;
  Step identified(SessionContext& context, auth::Answer&& answer) override;
  observe::EndedIn letter() const override { return observe::EndedIn::Lookup; }

 private:
  Step answered(SessionContext& context, Secret message) override;
  Step unanswered(SessionContext& context) override;
  Step allowed(SessionContext& context) override;
  Step prepare(SessionContext& context);
  Step ask_source(SessionContext& context);
  void count(SessionContext& context, const auth::Answer& answer);
  void name_user(SessionContext& context, std::string user);
  Step look_up();

  std::shared_ptr<auth::Source> source_;  // that is asked now
  observe::Held waiting_;                 // while it is
  Time began_{};                          // the attempt
  bool identified_ = false;
};

// Which pool: what the source named, else the routes and their maps.
struct Lookup final : Waiting {
  ~Lookup() override;
  Step begin(SessionContext& context) override;
  void leave(SessionContext& context) override;
  Step placed(SessionContext& context, route::MapAnswer&& answer) override;
  observe::EndedIn letter() const override { return observe::EndedIn::Lookup; }

 private:
  Step unanswered(SessionContext& context) override;
  Step route(SessionContext& context, std::size_t first);
  Step use(SessionContext& context, std::string_view pool, std::string_view backend, std::string_view who);
  Step go(SessionContext& context, const StorePool& pool, std::string_view backend);
  Fault cannot_log_in(SessionContext& context, const StorePool& pool) const;
  void count(SessionContext& context, std::string_view map, const route::MapAnswer& answer) const;
  static pool::Backend foreign_backend(const StorePool& pool, const auth::Destination& destination);

  Time began_{};                     // the attempt
  std::size_t route_ = 0;            // whose map is asked
  std::shared_ptr<route::Map> map_;  // that is asked now
  net::AnswerTicket ticket_;
};

// Chooses a backend and connects to it: a place in its line, its address, TCP, the PROXY header, implicit
// TLS.
struct Connect final : Waiting {
  Step begin(SessionContext& context) override;
  void leave(SessionContext& context) override;
  Step admitted(SessionContext& context) override;
  Step back_ready(SessionContext& context, bool readable, bool writable) override;
  Step addresses(SessionContext& context, const std::vector<Address>& addresses) override;
  Step expired(SessionContext& context) override;
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override {
    return login_ticket ? observe::EndedIn::Connect : observe::EndedIn::Queue;
  }
  std::optional<Admission::Step> newcomer() const override { return Admission::Step::Dial; }
  Channel* store_channel() override { return back ? &*back : nullptr; }

 private:
  Step unanswered(SessionContext& context) override;
  Step line_up(SessionContext& context);
  std::expected<pool::Choice, Fault> choose(Time now) const;
  Step dial(SessionContext& context, const Address& address);
  Step connected(SessionContext& context);
  Step secure(SessionContext& context, tls::Status status);
  Step begin_connect(SessionContext& context);
  Step hand_over(SessionContext& context);
  Step connect_failed(SessionContext& context, Fault fault, std::string detail);
  Step no_login_slot(SessionContext& context, const pool::Backend& full);
  Fault silent_fault() const;  // whose silence it is
  const char* silence() const;

  const pool::Backend* backend = nullptr;
  pool::SessionTicket session_ticket;
  pool::LoginTicket login_ticket;
  std::optional<Channel> back;
  std::vector<Address> candidates;  // of a host name, not tried yet
  Time queued_at{};
  Time tried_at{};                           // the address that is tried now
  const pool::Backend* waits_for = nullptr;  // for a login slot of it
  bool established = false;
};

// Logs in at the store.
struct StoreLogin final : Waiting {
  const pool::Backend* backend = nullptr;
  pool::SessionTicket session_ticket;
  pool::LoginTicket login_ticket;
  std::optional<Channel> back;
  std::unique_ptr<BackDialogue> dialogue;  // null until begin()
  bool upgrading = false;                  // STARTTLS: the handshake with the store is under way

  Step begin(SessionContext& context) override;
  void leave(SessionContext& context) override;
  Step back_ready(SessionContext& context, bool readable, bool writable) override;
  Step expired(SessionContext& context) override;
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override { return observe::EndedIn::StoreLogin; }
  std::optional<Admission::Step> newcomer() const override { return Admission::Step::LogIn; }
  Channel* store_channel() override { return back ? &*back : nullptr; }

 private:
  Step answered(SessionContext& context, Secret message) override;
  Step unanswered(SessionContext& context) override;
  Step pass_on(SessionContext& context, const postern::Challenge& challenge);
  Step take(SessionContext& context, const Channel::Reading& reading);
  Step run(SessionContext& context);
  Step lost(SessionContext& context, const Refusal& refusal);
  Step handshaken(SessionContext& context, tls::Status status);
  Step logged_in(SessionContext& context, StoreWelcome welcome);
};

// The store has let the user in; the client does not know yet. Where the store was the one to say who the
// user is, the policy service has a last word; then the user's sessions are counted.
struct Approve final : AskingPolicy {
  std::optional<Channel> back;  // not read: what the store sends meanwhile waits in the socket
  pool::SessionTicket session_ticket;
  StoreWelcome welcome;
  std::string store_rest;  // what the store sent behind its answer

  Step begin(SessionContext& context) override;
  Step back_ready(SessionContext& context, bool readable, bool writable) override;
  observe::EndedIn letter() const override { return observe::EndedIn::Lookup; }
  std::optional<Admission::Step> newcomer() const override { return Admission::Step::LogIn; }
  Channel* store_channel() override { return back ? &*back : nullptr; }

 private:
  Step allowed(SessionContext& context) override;
};

// Lets a refused login wait before the client is told. Refusals are counted, logged and reported at once,
// whatever the client does meanwhile.
struct Refuse final : Waiting {
  Refusal refusal;
  Duration at_least{0};  // the source wants the client to wait
  bool close = false;    // the source wants the session to end
  std::string error;  // the client has to hear and answer it before (RFC 7628 §3.2.3); empty: there is none
  bool told = false;  // the client has its answer: it gave up on a challenge
  Time until{};

  Step begin(SessionContext& context) override;
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override { return observe::EndedIn::Authenticate; }
  bool login_under_way() const override { return false; }

 private:
  Step answered(SessionContext& context, Secret message) override;
  Step cancelled(SessionContext& context) override;
  Step unanswered(SessionContext& context) override { return tell(context); }
  Step tell_in_time(SessionContext& context);
  Step tell(SessionContext& context);
};

// Moves bytes both ways until both directions have ended, each on its own.
struct Splice final : Phase {
  // IMAP, and the stream to the client stands between two answers.
  bool can_say_goodbye(const SessionContext& context) const;

  std::optional<Channel> back;
  pool::SessionTicket session_ticket;
  auth::Limiter::UserTicket user_ticket;
  std::string greeting;     // the answer to the client's login; gone after begin()
  std::string client_rest;  // what the client pipelined behind its login; gone after begin()
  std::string store_rest;   // what the store sent behind its answer; gone after begin()
  bool front_ended = false;

  Step begin(SessionContext& context) override;
  Step front_readable(SessionContext& context) override;
  Step front_flushed(SessionContext& context) override;
  Step back_ready(SessionContext& context, bool readable, bool writable) override;
  Step admitted(SessionContext& context) override;
  Step expired(SessionContext& context) override;
  Step dismiss(SessionContext& context, Fault reason) override;
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override {
    return front_ended || back_ended ? observe::EndedIn::Flush : observe::EndedIn::Data;
  }

 private:
  bool to_store(SessionContext& context, std::string_view bytes);
  void count_out(SessionContext& context, std::string_view bytes);
  bool to_client(SessionContext& context, std::string_view bytes);
  bool front_is_over() const { return front_ended || front_end != Channel::Reading::State::Open; }
  bool back_is_over() const { return back_ended || back_end != Channel::Reading::State::Open; }
  bool may_end(SessionContext& context);
  Step client_ended(SessionContext& context, Channel::Reading::State state);
  Step store_ended(SessionContext& context, Channel::Reading::State state, std::string_view last = {});
  Step ended(SessionContext& context);

  ImapBoundary boundary;
  Time last_activity{};
  bool back_ended = false;
  bool goodbye = false;  // the client's last words were LOGOUT or QUIT
  // Ends that were noticed and stand in the line of departures; Open: none.
  Channel::Reading::State front_end = Channel::Reading::State::Open;
  Channel::Reading::State back_end = Channel::Reading::State::Open;
};

// Sends what is left, ends our direction and waits a moment for the client's end: closing with unread bytes
// would reset the connection and take our last words from the client.
struct Closing final : Phase {
  Channel::Ending ending = Channel::Ending::Whole;
  Time until{};

  Step begin(SessionContext& context) override;
  Step front_readable(SessionContext& context) override;
  Step front_flushed(SessionContext& context) override;
  Step expired(SessionContext& context) override;
  Step dismiss(SessionContext&, Fault) override { return Keep{}; }
  Time deadline(const SessionContext& context) const override;
  observe::EndedIn letter() const override { return observe::EndedIn::Flush; }
};

}  // namespace postern
