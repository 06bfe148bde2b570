#include "proxy/auth/policy.h"

#include <algorithm>
#include <utility>

namespace postern::auth {

namespace {

// Requests are known by the ticket of who asked; a report by a ticket that no session has.
constexpr std::uint64_t kReports = 0xffffffff00000000;

std::uint64_t id_of(net::AnswerTicket ticket) { return std::uint64_t{ticket.slot} << 32 | ticket.generation; }

net::AnswerTicket ticket_of(std::uint64_t id) {
  return {.slot = static_cast<std::uint32_t>(id >> 32), .generation = static_cast<std::uint32_t>(id)};
}

PolicyAnswer judge(const HttpResult& result) {
  PolicyAnswer answer;
  if (!result) {
    answer.detail = result.error().text;
    return answer;
  }
  if (result->status != 200) {
    answer.detail = "HTTP status " + std::to_string(result->status);
    return answer;
  }
  auto reply = read_policy_reply(result->body.reveal());
  if (!reply) {
    answer.detail = std::move(reply.error());
    return answer;
  }
  answer.detail = std::move(reply->message);
  answer.verdict = reply->status < 0 ? PolicyAnswer::Verdict::Reject : PolicyAnswer::Verdict::Allow;
  const std::int64_t longest = std::chrono::duration_cast<std::chrono::seconds>(Policy::kLongestWait).count();
  answer.wait = std::chrono::seconds(std::clamp<std::int64_t>(reply->status, 0, longest));
  return answer;
}

}  // namespace

Policy::Policy(net::Reactor& reactor, const conf::Policy& settings, Secret key,
               std::shared_ptr<tls::ClientContext> tls, std::uint32_t slot, Deliver deliver)
    : settings_(settings),
      key_(std::move(key)),
      deliver_(std::move(deliver)),
      client_(reactor, settings.url, std::move(tls), settings.in_flight, slot,
              [this](std::uint64_t id, const HttpResult& result) { answered(id, result); }) {}

bool Policy::ask(net::AnswerTicket ticket, const PolicyQuestion& question) {
  return post(id_of(ticket), "allow", write_allow(question));
}

void Policy::cancel(net::AnswerTicket ticket) { client_.cancel(id_of(ticket)); }

bool Policy::report(const PolicyQuestion& question, Fault outcome) {
  return post(kReports | ++reports_, "report", write_report(question, outcome));
}

void Policy::addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  client_.addresses(addresses, ticket);
}

bool Policy::post(std::uint64_t id, std::string_view command, std::string_view body) {
  const conf::Url& url = settings_.url;
  HttpRequest request(HttpRequest::Method::Post, command_path(url.path, command),
                      http_host(url.host, url.port, url.tls));
  request.field("User-Agent", "postern");
  if (!key_.empty()) request.field("X-API-Key", key_.reveal());
  return client_.submit(id, std::move(request).finish("application/json", body), settings_.timeout);
}

void Policy::answered(std::uint64_t id, const HttpResult& result) {
  if ((id & kReports) == kReports) return;
  PolicyAnswer answer = judge(result);
  answer.ticket = ticket_of(id);
  deliver_(std::move(answer));
}

std::string command_path(std::string_view path, std::string_view command) {
  std::string text(path);
  if (!text.contains('?')) {
    text += '?';
  } else if (!text.ends_with('?') && !text.ends_with('&')) {
    text += '&';
  }
  return text + "command=" + std::string(command);
}

}  // namespace postern::auth
