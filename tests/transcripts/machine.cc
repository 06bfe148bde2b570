#include "tests/transcripts/machine.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "parsers/dialogue.h"

namespace postern::transcript {

namespace {

template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

Happening bytes_of(std::string bytes) {
  return {.kind = Happening::Kind::Bytes, .bytes = std::move(bytes), .verb = {}, .fields = {}};
}

Happening event(std::string verb, Fields fields) {
  return {.kind = Happening::Kind::Event, .bytes = {}, .verb = std::move(verb), .fields = std::move(fields)};
}

bool yes(const std::string& text) {
  if (text != "yes" && text != "no") throw std::invalid_argument(text + " is neither yes nor no");
  return text == "yes";
}

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

Fault fault_named(const std::string& name) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (name_of(static_cast<Fault>(i)) == name) return static_cast<Fault>(i);
  }
  throw std::invalid_argument("no fault " + name);
}

Endpoint endpoint(const std::string& text) {
  const auto parsed = Endpoint::parse(text);
  if (!parsed) throw std::invalid_argument(text + " is no address and port");
  return *parsed;
}

void set_number(std::size_t& target, const std::string& text) {
  if (!text.empty()) target = std::stoul(text);
}

Fields fields_of(const Refusal& refusal) {
  return {{"fault", std::string(name_of(refusal.fault))}, {"code", refusal.code}, {"text", refusal.text}};
}

Fields fields_of(const StoreWelcome& welcome) {
  return {{"text", welcome.text}, {"untagged", welcome.untagged}, {"capabilities", welcome.capabilities}};
}

Fields fields_of(const Credentials& credentials) {
  return {{"mechanism", std::string(name_of(credentials.mechanism))},
          {"user", credentials.user},
          {"password", std::string(credentials.password.reveal())},
          {"authorization", credentials.authorization},
          {"sasl_name", credentials.sasl_name},
          {"message", credentials.has_message ? std::string(credentials.message.reveal()) : "(none)"}};
}

Fields fields_of(const Forwarded& forwarded) {
  const auto text = [](const auto& endpoint) { return endpoint ? endpoint->to_string() : std::string(); };
  return {{"client", text(forwarded.client)},
          {"connected", text(forwarded.connected)},
          {"session", forwarded.session},
          {"server_name", forwarded.server_name},
          {"hops_left", forwarded.hops_left ? std::to_string(*forwarded.hops_left) : ""},
          {"malformed", yes_or_no(forwarded.malformed)}};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Mechanism mechanism_named(std::string_view name) {
  for (std::size_t i = 0; i < kMechanisms; ++i) {
    if (name_of(static_cast<Mechanism>(i)) == name) return static_cast<Mechanism>(i);
  }
  throw std::invalid_argument("no mechanism " + std::string(name));
}

FrontSetup front_setup(const Fields& fields) {
  FrontSetup setup;
  setup.host_name = fields.at("host");
  setup.secure = yes(fields.at("secure"));
  setup.starttls = yes(fields.at("starttls"));
  const std::string& mechanisms = fields.at("mechanisms");
  if (mechanisms != "none") {
    for (const std::string_view name : split(mechanisms, ',')) {
      setup.mechanisms.push_back(mechanism_named(name));
    }
  }
  for (const std::string_view name : split(fields.at("relayed"), ',')) setup.relayed.emplace_back(name);
  setup.store_capabilities = fields.at("capabilities");
  set_number(setup.limits.line, fields.at("line"));
  set_number(setup.limits.literal, fields.at("literal"));
  std::size_t bad_commands = setup.limits.bad_commands;
  set_number(bad_commands, fields.at("bad_commands"));
  setup.limits.bad_commands = static_cast<unsigned>(bad_commands);
  return setup;
}

BackSetup back_setup(const Fields& fields) {
  BackSetup setup;
  setup.starttls = yes(fields.at("starttls"));
  setup.secure = yes(fields.at("secure"));
  setup.forward_id = yes(fields.at("forward_id"));
  setup.forward_xclient = yes(fields.at("forward_xclient"));
  setup.probe = yes(fields.at("probe"));
  setup.mechanism = mechanism_named(fields.at("mechanism"));
  setup.user = fields.at("user");
  setup.authorization = fields.at("authorization");
  setup.password = Secret(fields.at("password"));
  setup.message = Secret(fields.at("message"));
  setup.client.session = fields.at("session");
  setup.client.client = endpoint(fields.at("client"));
  setup.client.connected = endpoint(fields.at("connected"));
  setup.client.secure = yes(fields.at("client_secure"));
  setup.client.server_name = fields.at("server_name");
  setup.client.hops_left = static_cast<unsigned>(std::stoul(fields.at("hops_left")));
  setup.client.client_id = fields.at("client_id");
  for (const std::string_view pair : split(fields.at("forward"), '|')) {
    const std::size_t equals = std::min(pair.find('='), pair.size() - 1);
    setup.client.forward.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return setup;
}

class Front final : public Machine {
 public:
  explicit Front(const Dialogue& dialogue)
      : dialogue_(make_front(dialogue.protocol, front_setup(dialogue.setup))) {}

  void receive(std::string_view bytes) override { dialogue_->receive(bytes); }

  Happening next() override {
    return std::visit(
        Match{[](const NeedData&) { return Happening{}; },
              [](const Send& send) { return bytes_of(send.bytes); },
              [](const StartTls&) { return event("starttls", {}); },
              [](const LoginRequest& login) { return event("login", fields_of(login.credentials)); },
              [](const Response& response) {
                return event("response", {{"message", std::string(response.message.reveal())}});
              },
              [](const Cancelled&) { return event("cancelled", {}); },
              [](const Close& close) {
                return event("close", {{"fault", std::string(name_of(close.fault))}});
              }},
        dialogue_->next());
  }

  void answer(const Step& step) override {
    if (step.verb == "secured") return dialogue_->secured();
    if (step.verb == "challenge") return dialogue_->challenge(step.fields.at("message"));
    if (step.verb == "reject") {
      return dialogue_->reject({.fault = fault_named(step.fields.at("fault")),
                                .code = step.fields.at("code"),
                                .text = step.fields.at("text")});
    }
    dialogue_->accept({.text = step.fields.at("text"),
                       .untagged = step.fields.at("untagged"),
                       .capabilities = step.fields.at("capabilities")});
  }

  Fields ask(const Step& step) override {
    if (step.verb == "forwarded") return fields_of(dialogue_->forwarded());
    if (step.verb == "client_id") return {{"text", dialogue_->client_id()}};
    const std::string& fault = step.fields.at("fault");
    return {{"fault", fault}, {"bytes", dialogue_->farewell(fault_named(fault))}};
  }

  std::string take_rest() override { return dialogue_->take_rest(); }

 private:
  std::unique_ptr<FrontDialogue> dialogue_;
};

class Back final : public Machine {
 public:
  explicit Back(const Dialogue& dialogue)
      : dialogue_(make_back(dialogue.protocol, back_setup(dialogue.setup))) {}

  void receive(std::string_view bytes) override { dialogue_->receive(bytes); }

  Happening next() override {
    return std::visit(
        Match{[](const NeedData&) { return Happening{}; },
              [](const SendSecret& send) { return bytes_of(std::string(send.bytes.reveal())); },
              [](const StartTls&) { return event("starttls", {}); },
              [](const LoggedIn& logged_in) { return event("logged_in", fields_of(logged_in.welcome)); },
              [](const Refused& refused) { return event("refused", fields_of(refused.refusal)); },
              [](const Challenge& challenge) { return event("challenge", {{"message", challenge.message}}); },
              [](const Probed&) { return event("probed", {}); }},
        dialogue_->next());
  }

  void answer(const Step& step) override {
    if (step.verb == "respond") return dialogue_->respond(Secret(step.fields.at("message")));
    if (step.verb == "give_up") return dialogue_->give_up();
    dialogue_->secured();
  }

  Fields ask(const Step& step) override {
    if (step.verb == "closed") return fields_of(dialogue_->closed());
    if (step.verb == "credentials_sent") return {{"answer", yes_or_no(dialogue_->credentials_sent())}};
    return {{"text", dialogue_->capabilities()}};
  }

  std::string take_rest() override { return dialogue_->take_rest(); }

 private:
  std::unique_ptr<BackDialogue> dialogue_;
};

}  // namespace

std::unique_ptr<Machine> make_machine(const Dialogue& dialogue) {
  if (dialogue.side == Side::Front) return std::make_unique<Front>(dialogue);
  return std::make_unique<Back>(dialogue);
}

}  // namespace postern::transcript
