#include "proxy/auth/policy_message.h"

#include <array>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include "proxy/auth/http_verdict.h"

namespace postern::auth {

namespace {

using Json = nlohmann::ordered_json;

Json describe(const PolicyQuestion& question) {
  return {{"login", question.login},       {"pwhash", question.password_hash},
          {"remote", question.remote},     {"device_id", question.device_id},
          {"protocol", question.protocol}, {"session_id", question.session}};
}

std::string write(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

// Dovecot's word for why a login failed.
std::string_view fail_type(Fault fault) {
  switch (fault) {
    case Fault::None:
      return "";
    case Fault::BadCredentials:
    case Fault::NotAuthorized:
      return "credentials";
    case Fault::NoRoute:
      return "account";
    case Fault::PasswordExpired:
      return "expired";
    case Fault::AccountDisabled:
      return "disabled";
    case Fault::PolicyRefused:
      return "policy";
    default:
      return "internal";
  }
}

}  // namespace

PolicyQuestion describe(const Question& question, std::string_view nonce) {
  const Credentials& credentials = *question.credentials;
  return {.login = credentials.user,
          .password_hash = password_hash(nonce, credentials.user, credentials.password),
          .remote = question.client.address.to_string(),
          .device_id = std::string(question.client_id),
          .protocol = question.protocol == Protocol::Imap ? "imap" : "pop3",
          .session = std::string(question.session),
          .tls = question.secure};
}

std::string password_hash(std::string_view nonce, std::string_view user, const Secret& password) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  SHA256_Update(&hash, nonce.data(), nonce.size());
  SHA256_Update(&hash, user.data(), user.size());
  SHA256_Update(&hash, "", 1);
  SHA256_Update(&hash, password.reveal().data(), password.size());
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &hash);
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string text{'0', kDigits[digest[0] >> 4], kDigits[digest[0] & 15], kDigits[digest[1] >> 4]};
  wipe(&hash, sizeof(hash));
  wipe(digest.data(), digest.size());
  return text;
}

std::string write_allow(const PolicyQuestion& question) {
  Json json = describe(question);
  json["tls"] = question.tls;
  return write(json);
}

std::string write_report(const PolicyQuestion& question, Fault outcome) {
  Json json = describe(question);
  json["fail_type"] = fail_type(outcome);
  json["success"] = outcome == Fault::None;
  json["policy_reject"] = outcome == Fault::PolicyRefused;
  json["tls"] = question.tls;
  return write(json);
}

std::expected<PolicyReply, std::string> read_policy_reply(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return std::unexpected("the answer is no JSON object");
  const auto status = json.find("status");
  if (status == json.end()) return std::unexpected("status is missing");
  if (!status->is_number_integer()) return std::unexpected("status is no whole number");
  // An unsigned number beyond the signed ones would become a rejection.
  const bool huge = status->is_number_unsigned() && status->get<std::uint64_t>() > INT64_MAX;
  PolicyReply reply{.status = huge ? INT64_MAX : status->get<std::int64_t>(), .message = {}};
  const auto message = json.find("msg");
  if (message != json.end() && message->is_string()) reply.message = clean_words(message->get<std::string>());
  return reply;
}

}  // namespace postern::auth
