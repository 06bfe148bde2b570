#include "proxy/net/resolver.h"

#include <algorithm>
#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>
#include <uv.h>

#include "proxy/net/loop.h"
#include "proxy/net/socket.h"

namespace postern::net {

namespace {

constexpr std::chrono::seconds kShortest{1};
constexpr std::chrono::seconds kLongest{300};
constexpr std::chrono::seconds kAfterFailure{1};
constexpr std::chrono::seconds kPatience{1};  // with name servers, where an old answer is known

template <class Handle>
void close_and_delete(Handle* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace

// Owns the channel, one uv_poll_t per socket that c-ares opens, a timer for its timeouts, one for our
// patience, and an idle-like zero timer that delivers what is ready.
struct Resolver::Engine {
  explicit Engine(Resolver* resolver)
      : owner(resolver), timer(new uv_timer_t), patience(new uv_timer_t), delivery(new uv_timer_t) {
    for (uv_timer_t* each : {timer, patience, delivery}) {
      uv_timer_init(owner->loop_, each);
      each->data = this;
    }
    ares_library_init(ARES_LIB_INIT_ALL);
    ares_options options{};
    options.timeout = 2000;
    options.tries = 2;
    options.sock_state_cb = [](void* data, ares_socket_t socket, int readable, int writable) {
      static_cast<Engine*>(data)->watch(socket, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  }

  ~Engine() {
    ares_destroy(channel);  // calls back what is open, with ARES_EDESTRUCTION
    for (auto& [socket, poll] : polls) close_and_delete(poll);
    for (uv_timer_t* each : {timer, patience, delivery}) close_and_delete(each);
    ares_library_cleanup();
  }

  void watch(ares_socket_t socket, bool readable, bool writable) {
    auto found = polls.find(socket);
    if (!readable && !writable) {
      if (found != polls.end()) {
        close_and_delete(found->second);
        polls.erase(found);
      }
      return;
    }
    if (found == polls.end()) {
      auto* poll = new uv_poll_t;
      uv_poll_init(owner->loop_, poll, socket);
      poll->data = this;
      found = polls.emplace(socket, poll).first;
    }
    uv_poll_start(found->second, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                  [](uv_poll_t* poll, int status, int events) {
                    auto* engine = static_cast<Engine*>(poll->data);
                    if (engine == nullptr) return;
                    Loop::event(poll->loop);
                    ares_socket_t descriptor = ARES_SOCKET_BAD;
                    uv_fileno(reinterpret_cast<uv_handle_t*>(poll), &descriptor);
                    const bool broken = status < 0;
                    ares_process_fd(engine->channel,
                                    broken || (events & UV_READABLE) != 0 ? descriptor : ARES_SOCKET_BAD,
                                    broken || (events & UV_WRITABLE) != 0 ? descriptor : ARES_SOCKET_BAD);
                    engine->arm();
                  });
  }

  // c-ares says how long it may be left alone.
  void arm() {
    timeval most{5, 0};
    timeval left{};
    if (polls.empty()) {
      uv_timer_stop(timer);
      return;
    }
    const timeval* wait = ares_timeout(channel, &most, &left);
    const auto milliseconds = static_cast<std::uint64_t>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1);
    uv_timer_start(
        timer,
        [](uv_timer_t* handle) {
          auto* engine = static_cast<Engine*>(handle->data);
          if (engine == nullptr) return;
          ares_process_fd(engine->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
          engine->arm();
        },
        milliseconds, 0);
  }

  void deliver_soon() {
    uv_timer_start(
        delivery,
        [](uv_timer_t* handle) {
          if (handle->data != nullptr) static_cast<Engine*>(handle->data)->owner->deliver();
        },
        0, 0);
  }

  void await() {
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(patience)) != 0) return;
    uv_timer_start(
        patience,
        [](uv_timer_t* handle) {
          if (handle->data == nullptr) return;
          static_cast<Engine*>(handle->data)->owner->lose_patience(std::chrono::steady_clock::now());
        },
        static_cast<std::uint64_t>(std::chrono::milliseconds(kPatience).count()), 0);
  }

  struct Question {
    Engine* engine;
    std::string host;
  };

  void ask(const std::string& host) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(
        channel, host.c_str(), nullptr, &hints,
        [](void* data, int status, int, ares_addrinfo* result) {
          const std::unique_ptr<Question> question(static_cast<Question*>(data));
          if (status == ARES_EDESTRUCTION) return;
          std::vector<Address> addresses;
          std::chrono::seconds time_to_live = kLongest;
          if (result != nullptr) {
            for (const ares_addrinfo_node* node = result->nodes; node != nullptr; node = node->ai_next) {
              sockaddr_storage address{};
              std::copy_n(reinterpret_cast<const char*>(node->ai_addr), node->ai_addrlen,
                          reinterpret_cast<char*>(&address));
              addresses.push_back(endpoint_from(address).address);
              time_to_live = std::min(time_to_live, std::chrono::seconds(node->ai_ttl));
            }
            ares_freeaddrinfo(result);
          }
          question->engine->owner->answered(question->host, std::move(addresses), time_to_live,
                                            status == ARES_SUCCESS);
        },
        new Question{this, host});
    arm();
  }

  Resolver* owner;
  ares_channel channel = nullptr;
  std::map<ares_socket_t, uv_poll_t*> polls;
  uv_timer_t* timer;
  uv_timer_t* patience;
  uv_timer_t* delivery;
};

Resolver::Resolver(uv_loop_s* loop, Answer answer, const std::string& servers)
    : loop_(loop), answer_(std::move(answer)), engine_(std::make_unique<Engine>(this)) {
  if (!servers.empty()) ares_set_servers_ports_csv(engine_->channel, servers.c_str());
}

Resolver::~Resolver() = default;

void Resolver::resolve(const std::string& host, AnswerTicket ticket, Time now) {
  Entry& entry = entries_[host];
  if (now < entry.fresh_until && !entry.addresses.empty()) {
    ready_.push_back({entry.addresses, ticket});
    engine_->deliver_soon();
    return;
  }
  entry.waiting.push_back(ticket);
  if (!entry.addresses.empty()) engine_->await();
  if (entry.asking) return;
  entry.asking = true;
  engine_->ask(host);
}

void Resolver::answered(const std::string& host, std::vector<Address> addresses,
                        std::chrono::seconds time_to_live, bool ok) {
  Entry& entry = entries_[host];
  const Time now = std::chrono::steady_clock::now();
  entry.asking = false;
  if (ok && !addresses.empty()) {
    entry.addresses = std::move(addresses);
    entry.fresh_until = now + std::clamp(time_to_live, kShortest, kLongest);
  } else {
    entry.fresh_until = now + kAfterFailure;
  }
  for (const AnswerTicket ticket : entry.waiting) ready_.push_back({entry.addresses, ticket});
  entry.waiting.clear();
  engine_->deliver_soon();
}

// Who waits for a name that is known gets the old answer; the question goes on.
void Resolver::lose_patience(Time now) {
  for (auto& [host, entry] : entries_) {
    if (entry.waiting.empty() || entry.addresses.empty()) continue;
    entry.fresh_until = now + kAfterFailure;
    for (const AnswerTicket ticket : entry.waiting) ready_.push_back({entry.addresses, ticket});
    entry.waiting.clear();
  }
  engine_->deliver_soon();
}

void Resolver::deliver() {
  const std::vector<Ready> ready = std::exchange(ready_, {});
  for (const Ready& one : ready) answer_(one.addresses, one.ticket);
}

}  // namespace postern::net
