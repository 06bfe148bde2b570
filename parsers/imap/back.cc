#include "parsers/imap/back.h"

#include <algorithm>
#include <utility>

#include "parsers/imap/capability.h"

namespace postern {
namespace {

bool is_complete(std::string_view capabilities) {
  return has_capability(capabilities, "IMAP4rev1") || has_capability(capabilities, "IMAP4rev2");
}

}  // namespace

void ImapBack::receive(std::string_view bytes) {
  if (phase_ == Phase::Done) return;
  // Clear text between the store's consent and its handshake: somebody wants it taken for protected.
  if (phase_ == Phase::Tls) return refuse(Fault::StoreProtocol);
  buffer_.append(bytes);
}

BackEvent ImapBack::next() {
  while (events_.empty()) {
    if (phase_ == Phase::Tls || phase_ == Phase::Challenged || phase_ == Phase::LoggedIn ||
        phase_ == Phase::Done) {
      return NeedData{};
    }
    const bool early = early_ > 0;
    const std::size_t before = buffer_.size();
    const auto result = reader_.read(buffer_);
    early_ -= std::min(early_, before - buffer_.size());
    if (std::holds_alternative<ImapReplyReader::NeedMore>(result)) return NeedData{};
    const auto* reply = std::get_if<ImapReply>(&result);
    // An answer that came before its question: it was written by somebody who can't have read the question.
    if (!reply || (early && reply->kind != ImapReply::Kind::Untagged)) {
      refuse(Fault::StoreProtocol);
    } else {
      take(*reply);
    }
  }
  BackEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void ImapBack::secured() {
  tls_ = true;
  asked_capability_ = false;
  capabilities_.clear();
  welcome_ = {};
  bye_.reset();
  proceed();
}

// Behind the password a BYE may be about what we have sent, which any other store would say as well; only
// with UNAVAILABLE it is about the store.
Refusal ImapBack::closed() {
  if (bye_ && (!credentials_sent_ || !bye_->code.empty())) return *bye_;
  return {.fault = Fault::StoreClosed, .code = {}, .text = {}};
}

void ImapBack::take(const ImapReply& reply) {
  if (phase_ == Phase::Greeting) return take_greeting(reply);
  switch (reply.kind) {
    case ImapReply::Kind::Untagged:
      return take_untagged(reply);
    case ImapReply::Kind::Tagged:
      return take_tagged(reply);
    case ImapReply::Kind::Continue:
      if (phase_ != Phase::Login) return refuse(Fault::StoreProtocol);
      return pieces_.empty() ? take_challenge(reply) : send_piece();
  }
}

// RFC 9051 §7.1. PREAUTH is somebody else's login, and would keep STARTTLS from being used.
void ImapBack::take_greeting(const ImapReply& reply) {
  if (reply.kind != ImapReply::Kind::Untagged) return refuse(Fault::StoreProtocol);
  if (reply.is("BYE")) {
    take_untagged(reply);
    return refuse(closed());
  }
  if (!reply.is("OK")) return refuse(Fault::StoreProtocol);
  capabilities_ = capabilities_in_code(reply.text);
  if (capabilities_.size() > kCapabilitiesMax) return refuse(Fault::StoreProtocol);
  proceed();
}

void ImapBack::take_untagged(const ImapReply& reply) {
  untagged_size_ += reply.word.size() + reply.text.size();
  if (untagged_size_ > kUntaggedMax || reply.is("PREAUTH")) return refuse(Fault::StoreProtocol);
  if (reply.is("ID")) return;
  if (reply.is("BYE")) {
    auto [code, text] = split_code(reply.text);
    const bool worth_telling = equals_ignoring_case(code, "UNAVAILABLE");
    bye_ = worth_telling ? Refusal{Fault::StoreUnavailable, std::move(code), std::move(text)}
                         : Refusal{Fault::StoreUnavailable, {}, {}};
    return;
  }
  const std::string list =
      reply.is("CAPABILITY") ? clean_capabilities(reply.text) : capabilities_in_code(reply.text);
  if (list.size() > kCapabilitiesMax) return refuse(Fault::StoreProtocol);
  if (!list.empty()) {
    const bool after_login = phase_ == Phase::Login || phase_ == Phase::LoggedInCapability;
    (after_login ? welcome_.capabilities : capabilities_) = list;
    return;
  }
  if (reply.is("CAPABILITY")) return;
  welcome_.untagged.append("* ").append(reply.word);
  if (!reply.text.empty()) welcome_.untagged.append(" ").append(reply.text);
  welcome_.untagged.append("\r\n");
}

void ImapBack::take_tagged(const ImapReply& reply) {
  if (phase_ == Phase::Capability && reply.tag == "C") {
    if (!reply.is("OK") || capabilities_.empty()) return refuse(Fault::StoreProtocol);
    proceed();
  } else if (phase_ == Phase::StartTls && reply.tag == "S") {
    if (!reply.is("OK")) return refuse(Fault::StoreNoTls);
    // Clear text that wants to be taken for protected (RFC 9051 §11.3).
    if (!buffer_.empty()) return refuse(Fault::StoreProtocol);
    phase_ = Phase::Tls;
    events_.emplace_back(StartTls{});
  } else if (phase_ == Phase::Login && reply.tag == "I" && awaits_id_) {
    awaits_id_ = false;  // whatever it says: ID is for the store's log
  } else if (phase_ == Phase::Login && reply.tag == "L" && !awaits_id_) {
    take_login_result(reply);
  } else if (phase_ == Phase::LoggedInCapability && reply.tag == "C") {
    finish_login();
  } else {
    refuse(Fault::StoreProtocol);
  }
}

void ImapBack::proceed() {
  if (!is_complete(capabilities_) && !asked_capability_) {
    asked_capability_ = true;
    phase_ = Phase::Capability;
    say("C CAPABILITY\r\n");
  } else if (setup_.starttls && !setup_.secure && !tls_) {
    if (!has_capability(capabilities_, "STARTTLS")) return refuse(Fault::StoreNoTls);
    phase_ = Phase::StartTls;
    say("S STARTTLS\r\n");
  } else if (setup_.probe) {
    say("Z LOGOUT\r\n");
    events_.emplace_back(Probed{});
    phase_ = Phase::Done;
  } else {
    send_login();
  }
}

void ImapBack::say(Secret bytes) {
  events_.emplace_back(SendSecret{std::move(bytes)});
  early_ = buffer_.size();
}

void ImapBack::refuse(Refusal refusal) {
  events_.clear();
  events_.emplace_back(Refused{std::move(refusal)});
  phase_ = Phase::Done;
  setup_.password.clear();
  setup_.message.clear();
  pieces_.clear();
  buffer_.clear();
}

}  // namespace postern
