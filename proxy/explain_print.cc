#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "proxy/explain.h"

namespace postern {

namespace {

std::string number_or_unknown(const std::optional<unsigned>& number) {
  return number ? std::to_string(*number) : "?";
}

}  // namespace

std::string to_text(const Explanation& is) {
  std::string text = fmt::format("user {} at listener {} ({})\n", is.question.user, is.question.listener,
                                 name_of(is.protocol));
  for (const Explanation::Step& step : is.steps) text += fmt::format("  {:<12} {}\n", step.what, step.says);
  if (is.pool.empty()) {
    return text + fmt::format("refused: {} ({})\n", name_of(is.fault), describe(is.fault).text);
  }
  text += fmt::format("pool {}{}\n", is.pool,
                      is.running ? "" : "; no running proxy answered: health and loads are unknown");
  text += fmt::format("  {:<16} {:<28} {:>8} {:>6} {:>12} {:>8} {:>8}  {}\n", "backend", "address",
                      "priority", "weight", "score", "sessions", "pending", "state");
  for (const Explanation::Candidate& one : is.backends) {
    text += fmt::format("  {:<16} {:<28} {:>8} {:>6} {:>12.6g} {:>8} {:>8}  {}\n", one.name,
                        one.host + ":" + std::to_string(one.port), one.priority, one.weight, one.score,
                        number_or_unknown(one.sessions), number_or_unknown(one.pending_logins), one.state);
  }
  if (is.how.empty()) return text + "no backend can be used now\n";
  if (is.by_turn) return text + "goes to whoever's turn it is\n";
  return text + fmt::format("goes to {} ({})\n", is.choice, is.how);
}

std::string to_json(const Explanation& is) {
  nlohmann::ordered_json json;
  json["user"] = is.question.user;
  json["listener"] = is.question.listener;
  json["protocol"] = name_of(is.protocol);
  json["server_name"] = is.question.server_name;
  json["steps"] = nlohmann::ordered_json::array();
  for (const Explanation::Step& step : is.steps)
    json["steps"].push_back({{"what", step.what}, {"says", step.says}});
  json["fault"] = name_of(is.fault);
  json["pool"] = is.pool;
  json["fixed_backend"] = is.fixed_backend;
  json["running"] = is.running;
  json["backends"] = nlohmann::ordered_json::array();
  for (const Explanation::Candidate& one : is.backends) {
    nlohmann::ordered_json row{{"name", one.name},         {"host", one.host},         {"port", one.port},
                               {"weight", one.weight},     {"priority", one.priority}, {"score", one.score},
                               {"usable", one.usable},     {"state", one.state},       {"sessions", nullptr},
                               {"pending_logins", nullptr}};
    if (one.sessions) row["sessions"] = *one.sessions;
    if (one.pending_logins) row["pending_logins"] = *one.pending_logins;
    json["backends"].push_back(std::move(row));
  }
  json["choice"] = is.choice;
  json["how"] = is.how;
  // A name may be no UTF-8: it is shown with U+FFFD.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace postern
