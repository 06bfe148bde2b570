#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "conf/model.h"
#include "parsers/secret.h"
#include "proxy/link.h"
#include "proxy/route/redis_reader.h"

namespace postern::route {

// GETs of users' keys over one connection to Redis, made at once and kept. They are pipelined; when the
// connection breaks, those that still have time are asked again over the next one, for a GET changes nothing.
class RedisConnection final : private Link::Owner {
 public:
  struct Result {
    enum class Kind : std::uint8_t { Found, Missing, Failed };
    Kind kind = Kind::Failed;
    std::string text;  // Found: the value. Failed: one sentence without unchecked bytes
  };
  // Called from the loop, never from within get(); once for each get() that was taken, within the timeout.
  using Answered = std::function<void(const std::string& user, Result result)>;

  // The connection is lost, or could not be made, and why; or it stands again. Once for each reason in a row,
  // however often it is tried meanwhile.
  using Noticed = std::function<void(bool connected, const std::string& why)>;

  // Names are asked for under tickets of `slot`. Must not be destroyed from within Answered.
  RedisConnection(net::Reactor& reactor, const conf::Map::Redis& settings, Secret password,
                  std::uint32_t slot, Answered answered, Noticed noticed);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // False: as many as may be are under way.
  bool get(std::string user);

  bool ready() const { return ready_; }
  const std::string& trouble() const { return trouble_; }  // why it is not ready
  void addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket);

 private:
  class Alarm final : public net::Timer {
   public:
    explicit Alarm(std::function<void()> ring) : ring_(std::move(ring)) {}

   private:
    void expired(Time) override { ring_(); }
    std::function<void()> ring_;
  };
  struct Asked {
    std::string user;
    Time deadline;
  };

  void link_up(Link& link) override;
  void link_received(Link& link, std::string_view bytes) override;
  void link_down(Link& link, const std::string& why) override;

  void dial();
  void introduced();
  void lose(std::string why);
  void send(const Asked& asked);
  void watch_first();
  void first_overdue();
  void answer_first(Result result);
  bool take(RedisReply reply);  // false: the connection is gone

  net::Reactor& reactor_;
  const conf::Map::Redis settings_;
  const Secret password_;
  const std::uint32_t slot_;
  const Answered answered_;
  const Noticed noticed_;

  Alarm connection_alarm_;  // to dial again, or to give AUTH and SELECT up
  Alarm question_alarm_;    // the first question's deadline
  std::unique_ptr<Link> link_;
  std::uint32_t generation_ = 0;  // of links
  RedisReader reader_;
  unsigned introductions_ = 0;  // replies to AUTH and SELECT that are due
  bool ready_ = false;
  std::string told_;  // to noticed_(), of why it is lost; empty: it stands
  Time ready_at_{};
  Duration back_off_;
  std::string trouble_ = "not connected yet";

  std::deque<Asked> asked_;  // in order; while ready all of them have been sent
};

}  // namespace postern::route
