#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/model.h"
#include "parsers/fault.h"
#include "parsers/secret.h"
#include "proxy/auth/http_client.h"
#include "proxy/auth/policy_message.h"
#include "proxy/auth/source.h"
#include "proxy/net/reactor.h"

namespace postern::auth {

struct PolicyAnswer {
  enum class Verdict : std::uint8_t {
    Allow,
    Reject,
    Unavailable,  // it could not be asked: conf::Policy::reject_on_failure says what that means
  };
  net::AnswerTicket ticket;
  Verdict verdict = Verdict::Unavailable;
  Duration wait{0};    // Allow: hold the login so long
  std::string detail;  // for the log: one sentence, or the service's own words, without controls
};

// auth.policy: a weakforced service (README.md), asked by a worker whether a login may go on, before the
// password is checked and after, and told how it ended. Each worker has its own object; everything in it
// happens on the worker's loop.
class Policy final : public net::Service {
 public:
  // Called from the loop, never from within a member of the object; once for each question that was not
  // cancelled.
  using Deliver = std::function<void(PolicyAnswer)>;

  static constexpr Duration kLongestWait = std::chrono::seconds(30);

  // `key` is the value of X-API-Key, without a line's end; empty: none is sent. `tls` is for an https URL
  // alone, and needed there.
  Policy(net::Reactor& reactor, const conf::Policy& settings, Secret key,
         std::shared_ptr<tls::ClientContext> tls, std::uint32_t slot, Deliver deliver);

  // What the three below are asked with. It is made while the password is at hand.
  PolicyQuestion question(const Question& question) const { return describe(question, settings_.nonce); }

  // command=allow. False: as many requests as may be are under way; there will be no answer.
  bool ask(net::AnswerTicket ticket, const PolicyQuestion& question);
  void cancel(net::AnswerTicket ticket);

  // command=report. Nobody waits for it. False: it is not sent, for the same reason.
  bool report(const PolicyQuestion& question, Fault outcome);

  void addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) override;

 private:
  bool post(std::uint64_t id, std::string_view command, std::string_view body);
  void answered(std::uint64_t id, const HttpResult& result);

  const conf::Policy settings_;
  const Secret key_;
  const Deliver deliver_;
  std::uint32_t reports_ = 0;
  HttpClient client_;
};

// The path with the command in its query: weakforced's way to say what is asked.
std::string command_path(std::string_view path, std::string_view command);

}  // namespace postern::auth
