#include "proxy/auth/http_client.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "proxy/auth/http_reader.h"

namespace postern::auth {

namespace {

// Our own deadline ends a request; the link's comes later, so that one of them tells.
constexpr Duration kGrace = std::chrono::seconds(1);

}  // namespace

// One connection: with a request, in busy_, or waiting for the next, in idle_. Its timer is the request's
// deadline or the end of its idleness.
class HttpClient::Connection final : private Link::Owner, private net::Timer {
 public:
  explicit Connection(HttpClient& client) : client_(client) {}

  void begin(std::uint64_t id, std::shared_ptr<const Secret> request, Duration time) {
    id_ = id;
    request_ = std::move(request);
    reader_.emplace(client_.body_);
    client_.reactor_.timers().start(*this, client_.reactor_.now() + time);
    if (link_) {
      reused_ = true;
      link_->write(request_->reveal());
    } else {
      link_ = client_.connect(*this, time);
    }
  }

  std::uint64_t id() const { return id_; }
  bool usable() const { return link_->up() && link_->unwritten() == 0; }
  bool awaits(net::AnswerTicket ticket) const { return link_->ticket() == ticket; }
  void addresses(const std::vector<Address>& addresses) { link_->addresses(addresses); }

  void rest() {
    reader_.reset();
    request_.reset();
    client_.reactor_.timers().start(*this, client_.reactor_.now() + kIdle);
  }

 private:
  void link_up(Link& link) override { link.write(request_->reveal()); }

  void link_received(Link&, std::string_view bytes) override {
    if (!reader_) return client_.drop(*this);  // nobody asked
    const HttpReader::State state = reader_->receive(bytes);
    wipe_scratch(bytes);
    take(state);
  }

  void link_down(Link&, const std::string& why) override {
    if (!reader_) return client_.drop(*this);
    if (reader_->started()) return take(reader_->end());
    if (!reused_) return fail(HttpFailure::Kind::Unreachable, why);
    reused_ = false;
    link_ = client_.connect(*this, std::chrono::ceil<Duration>(deadline() - client_.reactor_.now()));
  }

  void expired(Time) override {
    if (!reader_) return client_.drop(*this);
    fail(HttpFailure::Kind::Timeout, link_->up() ? "no complete answer in time" : "no connection in time");
  }

  void take(HttpReader::State state) {
    switch (state) {
      case HttpReader::State::NeedMore:
        return;
      case HttpReader::State::Done:
        return client_.settle(*this, id_, reader_->reusable() && usable(), reader_->take());
      case HttpReader::State::Failed:
        return fail(HttpFailure::Kind::Malformed, "not a complete HTTP answer: " + reader_->error());
    }
  }

  void fail(HttpFailure::Kind kind, const std::string& why) {
    client_.settle(*this, id_, false, std::unexpected(client_.failure(kind, why)));
  }

  HttpClient& client_;
  std::uint64_t id_ = 0;
  std::unique_ptr<Link> link_;
  std::shared_ptr<const Secret> request_;
  std::optional<HttpReader> reader_;  // none: idle
  bool reused_ = false;               // and no byte of an answer came yet
};

HttpClient::HttpClient(net::Reactor& reactor, const conf::Url& url, std::shared_ptr<tls::ClientContext> tls,
                       unsigned in_flight, std::uint32_t slot, Deliver deliver, std::size_t body)
    : reactor_(reactor),
      target_{.path = {}, .host = url.host, .port = url.port, .tls = url.tls ? std::move(tls) : nullptr},
      in_flight_(in_flight),
      slot_(slot),
      body_(body),
      deliver_(std::move(deliver)) {
  if (url.tls && !target_.tls) std::abort();  // never passwords in clear text by mistake
}

HttpClient::~HttpClient() = default;

bool HttpClient::submit(std::uint64_t id, std::shared_ptr<const Secret> request, Duration time) {
  if (busy_.size() >= in_flight_) return false;
  // One that is not usable has just ended, and goes when its link tells so.
  const auto kept = std::ranges::find_if(idle_, &Connection::usable);
  if (kept != idle_.end()) {
    busy_.splice(busy_.begin(), idle_, kept);
  } else {
    busy_.push_front(std::make_unique<Connection>(*this));
  }
  busy_.front()->begin(id, std::move(request), time);
  return true;
}

void HttpClient::cancel(std::uint64_t id) {
  const auto found = std::ranges::find(busy_, id, &Connection::id);
  if (found != busy_.end()) busy_.erase(found);
}

void HttpClient::addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  const auto waiting =
      std::ranges::find_if(busy_, [ticket](const auto& connection) { return connection->awaits(ticket); });
  if (waiting != busy_.end()) (*waiting)->addresses(addresses);
}

std::unique_ptr<Link> HttpClient::connect(Link::Owner& owner, Duration time) {
  return std::make_unique<Link>(reactor_, owner, target_, time + kGrace,
                                net::AnswerTicket{.slot = slot_, .generation = ++generation_});
}

void HttpClient::settle(Connection& connection, std::uint64_t id, bool keep, HttpResult result) {
  if (keep) {
    const auto place = std::ranges::find(busy_, &connection, &std::unique_ptr<Connection>::get);
    idle_.splice(idle_.begin(), busy_, place);
    connection.rest();
  } else {
    drop(connection);
  }
  deliver_(id, std::move(result));
}

void HttpClient::drop(const Connection& connection) {
  for (Connections* list : {&busy_, &idle_}) {
    const auto place = std::ranges::find(*list, &connection, &std::unique_ptr<Connection>::get);
    if (place != list->end()) {
      list->erase(place);
      return;
    }
  }
}

HttpFailure HttpClient::failure(HttpFailure::Kind kind, const std::string& why) const {
  return {kind, target_.to_string() + ": " + why};
}

}  // namespace postern::auth
