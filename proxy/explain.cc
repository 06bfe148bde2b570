#include "proxy/explain.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/net/loop.h"
#include "proxy/services.h"

namespace postern {

namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// Asks a map as a worker does, and waits.
route::MapAnswer ask_map(const Snapshot& snapshot, std::string_view map, const std::string& user) {
  std::optional<route::MapAnswer> answer;
  // The services die before the loop that they live on.
  Services* of_loop = nullptr;
  net::Loop loop({.end_of_turn = {},
                  .woken = {},
                  .addresses = [&of_loop](const std::vector<Address>& addresses, net::AnswerTicket ticket) {
                    of_loop->addresses(addresses, ticket);
                  }});
  Services services(loop, {.wake = [] {},
                           .identified = [](auth::Answer) {},
                           .policy = [](const auth::PolicyAnswer&) {},
                           .placed =
                               [&answer, &loop](route::MapAnswer given) {
                                 answer = std::move(given);
                                 loop.stop();
                               },
                           .map_connection = [](std::string_view, bool, const std::string&) {}});
  of_loop = &services;
  services.use_maps(snapshot.maps);
  const auto asked = services.map(map);
  if (auto at_once = asked->find(user, {})) return std::move(*at_once);
  loop.run();
  return std::move(*answer);
}

class Explainer {
 public:
  Explainer(const conf::Config& config, const Snapshot& snapshot,
            const std::optional<RunningBackends>& running, Explanation& explanation)
      : config_(config), snapshot_(snapshot), running_(running), is_(explanation) {}

  void run() {
    if (!source() && !routes(0)) return;
    candidates();
  }

 private:
  void step(std::string what, std::string says) { is_.steps.push_back({std::move(what), std::move(says)}); }

  // What the source says beforehand. True: it names the pool.
  bool source() {
    switch (snapshot_.auth.by) {
      case conf::AuthBy::Store:
        step("source", "the store decides whether the password is right");
        return false;
      case conf::AuthBy::Http:
        step("source", "the HTTP service is asked at the login, with the password, and may name a store");
        return false;
      case conf::AuthBy::Dovecot:
        step("source", "Dovecot's authentication service is asked at the login, and may name a store");
        return false;
      case conf::AuthBy::Passwd:
        break;
    }
    const auto file = snapshot_.auth.verifier->file();
    const auto entry = file->find(is_.question.user);
    if (!entry) {
      step("source", "the password file does not have this user: the login would be refused");
      is_.fault = Fault::BadCredentials;
      return false;
    }
    if (entry->pool.empty()) {
      step("source", "the password file has this user, and leaves the pool to the routes");
      return false;
    }
    step("source", "the password file has this user, and names " + place(entry->pool, entry->backend));
    return use(entry->pool, entry->backend);
  }

  static std::string place(std::string_view pool, std::string_view backend) {
    std::string text = "pool " + std::string(pool);
    if (!backend.empty()) text.append(", backend ").append(backend);
    return text;
  }

  std::string conditions(std::size_t route) const {
    const conf::Route& settings = config_.routes[route];
    std::string text = "user " + quoted(settings.user);
    if (!settings.listener.empty()) text += ", listener " + quoted(settings.listener);
    if (!settings.server_name.empty()) text += ", server_name " + quoted(settings.server_name);
    return text;
  }

  // True: a pool was found.
  bool routes(std::size_t first) {
    const route::Query query{is_.question.user, is_.question.listener, is_.question.server_name};
    for (std::size_t i = first; i < snapshot_.router->size(); ++i) {
      const std::string name = "route " + std::to_string(i + 1);
      if (const std::string_view why = snapshot_.router->why_not(query, i); !why.empty()) {
        step(name, conditions(i) + ": no, " + std::string(why) + " differs");
        continue;
      }
      const conf::Route& settings = config_.routes[i];
      if (settings.map.empty()) {
        step(name, conditions(i) + ": yes, " + place(settings.pool, settings.backend));
        return use(settings.pool, settings.backend);
      }
      step(name, conditions(i) + ": yes, map " + settings.map + " is asked");
      const route::MapAnswer answer = ask_map(snapshot_, settings.map, is_.question.user);
      if (answer.fault != Fault::None) {
        step("map " + settings.map, answer.detail);
        is_.fault = answer.fault;
        return false;
      }
      if (answer.place) {
        step("map " + settings.map, place(answer.place->pool, answer.place->backend));
        return use(answer.place->pool, answer.place->backend);
      }
      step("map " + settings.map, "does not have this user: the next route");
    }
    step("routes", "none is left: the login would be refused");
    is_.fault = Fault::NoRoute;
    return false;
  }

  bool use(std::string_view pool, std::string_view backend) {
    const auto found = std::ranges::find(snapshot_.pools, pool, &StorePool::name);
    if (found == snapshot_.pools.end() || (!backend.empty() && !found->members->find(backend))) {
      step("pool", place(pool, backend) + ": not in the configuration, the login would be refused");
      is_.fault = Fault::LookupInvalid;
      return false;
    }
    pool_ = &*found;
    is_.pool = pool;
    is_.fixed_backend = backend;
    return true;
  }

  // The pool was made for this question alone: it is brought to where the running one is, and then asked as a
  // login asks it.
  void candidates() {
    if (pool_ == nullptr) return;
    const pool::Pool& members = *pool_->members;
    const Time now = std::chrono::steady_clock::now();
    for (const pool::Backend& backend : members.backends()) {
      if (const RunningBackend* as = running(backend)) imitate(backend, *as, now);
    }
    for (const pool::Ranked& ranked : members.rank(is_.question.user, now))
      is_.backends.push_back(candidate(ranked, now));
    // Whose turn it is only the running proxy knows.
    is_.by_turn = is_.fixed_backend.empty() && members.balance() == conf::Balance::RoundRobin;
    const auto choice = is_.fixed_backend.empty() ? members.pick(is_.question.user, {}, now)
                                                  : members.pick_fixed(is_.fixed_backend, {}, now);
    if (!choice) return;
    is_.how = pool::name_of(choice->how);
    if (!is_.by_turn) is_.choice = choice->backend->name();
  }

  const RunningBackend* running(const pool::Backend& backend) const {
    if (!running_) return nullptr;
    const auto found = running_->find({pool_->name, backend.name()});
    return found == running_->end() ? nullptr : &found->second;
  }

  void imitate(const pool::Backend& backend, const RunningBackend& as, Time now) const {
    pool::BackendState& state = *backend.state();
    state.sessions = as.sessions;
    state.pending_logins = as.pending_logins;
    const conf::Health& settings = pool_->members->health();
    for (unsigned i = 0; !as.up && i < settings.fall; ++i) state.health.report(false, settings, now, 0);
    if (as.ejected) state.health.eject(settings.eject, now);
  }

  Explanation::Candidate candidate(const pool::Ranked& ranked, Time now) const {
    const pool::Backend& backend = *ranked.backend;
    Explanation::Candidate one;
    one.name = backend.name();
    one.host = backend.host();
    one.port = backend.port(is_.protocol);
    one.weight = backend.weight();
    one.priority = backend.priority();
    one.score = ranked.score;
    one.usable = ranked.usable;
    one.state = "unknown";
    if (const RunningBackend* as = running(backend)) {
      one.sessions = as->sessions;
      one.pending_logins = as->pending_logins;
      one.state = !backend.health().up()          ? "down"
                  : backend.health().ejected(now) ? "ejected"
                  : backend.full()                ? "full"
                                                  : "up";
    }
    if (one.weight == 0) one.state = "weight 0";
    return one;
  }

  const conf::Config& config_;
  const Snapshot& snapshot_;
  const std::optional<RunningBackends>& running_;
  Explanation& is_;
  const StorePool* pool_ = nullptr;
};

}  // namespace

std::expected<Explanation, std::string> explain(const conf::Config& config, const Snapshot& snapshot,
                                                const RouteQuestion& question,
                                                const std::optional<RunningBackends>& running) {
  Explanation explanation;
  explanation.question = question;
  explanation.running = running.has_value();
  auto listener = config.listeners.begin();
  if (!question.listener.empty()) {
    listener = std::ranges::find(config.listeners, question.listener, &conf::Listener::name);
    if (listener == config.listeners.end())
      return std::unexpected("there is no listener " + quoted(question.listener));
  }
  explanation.question.listener = listener->name;
  explanation.protocol = listener->protocol;
  Explainer(config, snapshot, running, explanation).run();
  return explanation;
}

}  // namespace postern
