#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "conf/model.h"
#include "parsers/secret.h"
#include "proxy/auth/http_message.h"
#include "proxy/auth/http_reader.h"
#include "proxy/link.h"
#include "proxy/net/reactor.h"

namespace postern::auth {

struct HttpFailure {
  enum class Kind : std::uint8_t {
    Unreachable,  // no address, refused, TLS failed, closed without an answer
    Timeout,
    Malformed,  // what came is no answer
  };
  Kind kind = Kind::Unreachable;
  std::string text;  // for the log: one sentence that names the service
};
using HttpResult = std::expected<HttpAnswer, HttpFailure>;

// An HTTP/1.1 client of one service, on one loop. Connections are kept and the latest used is used again, one
// request at a time on each (nothing is pipelined). A request on a kept connection that ends before the first
// byte of an answer is sent once more, on a fresh one (RFC 9110 §9.2.2 leaves that to those who know the
// request: what is asked here may be asked twice).
class HttpClient {
 public:
  // Called from the loop, never from within a member of the client; it must not destroy the client.
  using Deliver = std::function<void(std::uint64_t id, HttpResult result)>;

  static constexpr Duration kIdle = std::chrono::seconds(10);  // an unused connection is closed then

  // Names are asked for with tickets of `slot`. An https URL must come with a context.
  HttpClient(net::Reactor& reactor, const conf::Url& url, std::shared_ptr<tls::ClientContext> tls,
             unsigned in_flight, std::uint32_t slot, Deliver deliver, std::size_t body = HttpReader::kBody);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  // `id` is the caller's, of no other request under way; `time` is all there is until the answer is complete.
  // False: as many as may be are under way.
  bool submit(std::uint64_t id, std::shared_ptr<const Secret> request, Duration time);
  // Its result will not be delivered. Unknown ids are fine.
  void cancel(std::uint64_t id);

  void addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket);

  std::size_t under_way() const { return busy_.size(); }
  std::size_t idle() const { return idle_.size(); }

 private:
  class Connection;
  using Connections = std::list<std::unique_ptr<Connection>>;

  std::unique_ptr<Link> connect(Link::Owner& owner, Duration time);
  void settle(Connection& connection, std::uint64_t id, bool keep, HttpResult result);
  void drop(const Connection& connection);
  HttpFailure failure(HttpFailure::Kind kind, const std::string& why) const;

  net::Reactor& reactor_;
  const Link::Target target_;
  const unsigned in_flight_;
  const std::uint32_t slot_;
  const std::size_t body_;  // how long that of an answer may be
  std::uint32_t generation_ = 0;
  const Deliver deliver_;
  Connections busy_;
  Connections idle_;  // the latest used first
};

}  // namespace postern::auth
