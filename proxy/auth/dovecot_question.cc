#include "proxy/auth/dovecot_question.h"

#include <utility>

#include "parsers/base64.h"
#include "parsers/sasl.h"
#include "proxy/auth/dovecot_protocol.h"
#include "proxy/tls/peer_certificate.h"

namespace postern::auth {

namespace {

// Dovecot's own login processes keep no more of a client's ID.
constexpr std::size_t kLongestClientId = 256;

// A line that grows field by field.
class Line {
 public:
  explicit Line(std::string_view command) {
    text_.reserve(1024);
    text_.append(command);
  }

  void flag(std::string_view name) {
    text_.append("\t");
    append_escaped(text_, name);
  }
  void value(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    flag(name);
    text_.append("=");
    append_escaped(text_, value);
  }
  void endpoint(std::string_view prefix, std::string_view side, const Endpoint& endpoint) {
    if (endpoint.address.family == Address::Family::None) return;
    const std::string name = std::string(prefix).append(side);
    value(name + "ip", endpoint.address.to_string());
    value(name + "port", std::to_string(endpoint.port));
  }
  // In base64, which nothing has to be escaped in.
  void message(std::string_view name, std::string_view message) {
    text_.append("\t");
    text_.append(name);
    text_.append(encode_base64(message).reveal());
  }

  std::optional<Secret> end() && {
    text_.append("\n");
    if (text_.size() > kDovecotLongestQuestion) return std::nullopt;
    return std::move(text_);
  }

 private:
  Secret text_;
};

Secret first_message(const Credentials& credentials) {
  switch (credentials.mechanism) {
    case Mechanism::XOAuth2:
    case Mechanism::OAuthBearer:
    case Mechanism::Relayed:
      return credentials.message.clone();
    case Mechanism::External:
      return Secret(credentials.authorization);
    case Mechanism::Command:
    case Mechanism::Plain:
    case Mechanism::Login:
      break;
  }
  return write_plain(credentials.authorization, credentials.user, credentials.password.reveal());
}

// ("name" "x") without its parentheses, as Dovecot's login processes tell it.
std::string_view client_id_of(const Question& question) {
  std::string_view id = question.client_id;
  if (id.starts_with('(') && id.ends_with(')')) id = id.substr(1, id.size() - 2);
  return id.size() > kLongestClientId ? std::string_view{} : id;
}

}  // namespace

std::string_view dovecot_mechanism(const Credentials& credentials) {
  switch (credentials.mechanism) {
    case Mechanism::Command:
    case Mechanism::Login:
      return sasl_name_of(Mechanism::Plain);
    case Mechanism::Relayed:
      return credentials.sasl_name;
    default:
      return sasl_name_of(credentials.mechanism);
  }
}

std::optional<Secret> write_auth(std::uint32_t id, const Question& question) {
  const Credentials& credentials = *question.credentials;
  const std::string_view protocol = question.protocol == Protocol::Imap ? "imap" : "pop3";
  Line line("AUTH");
  line.flag(std::to_string(id));
  line.flag(dovecot_mechanism(credentials));
  line.value("service", protocol);   // Dovecot 2.3
  line.value("protocol", protocol);  // Dovecot 2.4
  // Clear text is let in on loopback listeners alone, which Dovecot calls secured as well.
  question.secure ? line.value("secured", "tls") : line.flag("secured");
  line.value("session", question.session);
  line.endpoint("", "l", question.local);
  line.endpoint("", "r", question.client);
  line.endpoint("real_", "l", question.socket);
  line.endpoint("real_", "r", question.peer);
  line.value("local_name", question.server_name);
  line.value("client_id", client_id_of(question));
  if (question.certificate) {
    line.flag("valid-client-cert");
    line.value("ssl_client_cert_fp", question.certificate->fingerprint);
    if (credentials.mechanism == Mechanism::External) line.value("cert_username", credentials.user);
  }
  if (credentials.mechanism != Mechanism::Relayed || credentials.has_message) {
    line.message("resp=", first_message(credentials).reveal());
  }
  return std::move(line).end();
}

std::optional<Secret> write_continue(std::uint32_t id, std::string_view message) {
  Line line("CONT");
  line.flag(std::to_string(id));
  line.message("", message);
  return std::move(line).end();
}

std::string write_cancel(std::uint32_t id) { return "CANCEL\t" + std::to_string(id) + "\n"; }

}  // namespace postern::auth
