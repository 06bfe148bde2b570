#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "conf/model.h"
#include "parsers/secret.h"
#include "proxy/auth/http_client.h"
#include "proxy/auth/http_verdict.h"
#include "proxy/auth/source.h"

namespace postern::auth {

// auth.http: asks an HTTP service as nginx's mail proxy does (README.md). The timeout of the configuration is
// for the whole question, with all rounds of Auth-Status: WAIT. It gives no challenges, so respond() has
// nothing to answer.
class HttpSource final : public Source, public net::Service {
 public:
  static constexpr unsigned kRounds = 10;  // a question is asked so often at most

  // `tls` is for an https URL alone, and needed there.
  HttpSource(net::Reactor& reactor, const conf::HttpSource& settings, std::shared_ptr<tls::ClientContext> tls,
             std::uint32_t slot, Deliver deliver);
  ~HttpSource() override;

  // False also for a mechanism that passes challenges, and for a ticket whose question is under way.
  bool ask(const Question& question) override;
  void respond(net::AnswerTicket ticket, Secret message) override;
  void cancel(net::AnswerTicket ticket) override;
  void addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) override;

  std::size_t under_way() const { return questions_.size(); }

 private:
  class Asked;

  void answered(std::uint64_t id, const HttpResult& result);
  void ask_again(std::uint64_t id);
  void end(std::uint64_t id, Answer answer);

  net::Reactor& reactor_;
  const conf::HttpSource settings_;
  const Deliver deliver_;
  std::map<std::uint64_t, std::unique_ptr<Asked>> questions_;
  HttpClient client_;
};

}  // namespace postern::auth
