#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/auth/dovecot_source.h"
#include "proxy/net/loop.h"
#include "tests/unit/auth/dovecot_peer.h"
#include "tests/unit/net/pair.h"

namespace postern::auth {

// A DovecotSource on a loop of its own, and what it has answered.
class DovecotWorld {
 public:
  static constexpr std::uint32_t kSlot = net::kServiceSlots;

  explicit DovecotWorld(const conf::DovecotSource& settings, Duration renewal = std::chrono::minutes(1))
      : source(
            loop, settings, kSlot, [this](Answer answer) { note(std::move(answer)); },
            [] { return std::chrono::system_clock::from_time_t(1'800'000'000); }, renewal) {}

  // Asks as the session `slot`.
  bool ask(std::uint32_t slot, const Credentials& credentials,
           const tls::PeerCertificate* certificate = nullptr) {
    Question question;
    question.ticket = {slot, 1};
    question.credentials = &credentials;
    question.secure = true;
    question.certificate = certificate;
    return source.ask(question);
  }
  bool ask_plain(std::uint32_t slot, std::string_view user = "bob", std::string_view password = "secret") {
    Credentials credentials;
    credentials.mechanism = Mechanism::Plain;
    credentials.user = user;
    credentials.password = Secret(password);
    return ask(slot, credentials);
  }
  bool ask_relayed(std::uint32_t slot, std::string name) {
    Credentials credentials;
    credentials.mechanism = Mechanism::Relayed;
    credentials.sasl_name = std::move(name);
    return ask(slot, credentials);
  }

  void until(const std::function<bool()>& done) { net::run_until(loop, done); }
  bool answered(std::uint32_t slot) const {
    return std::ranges::any_of(answers, [slot](const Answer& each) { return each.ticket.slot == slot; });
  }
  // The answer to `slot`, which is there, is taken out.
  Answer take(std::uint32_t slot) {
    REQUIRE(answered(slot));
    const auto found =
        std::ranges::find_if(answers, [slot](const Answer& each) { return each.ticket.slot == slot; });
    Answer answer = std::move(*found);
    answers.erase(found);
    return answer;
  }

  std::deque<Answer> answers;
  std::function<void(const Answer&)> on_answer;
  net::Loop loop{{.end_of_turn = {},
                  .woken = {},
                  .addresses = [this](const std::vector<Address>& addresses, net::AnswerTicket ticket) {
                    source.addresses(addresses, ticket);
                  }}};
  DovecotSource source;

 private:
  void note(Answer answer) {
    if (on_answer) on_answer(answer);
    answers.push_back(std::move(answer));
  }
};

}  // namespace postern::auth
