#include "parsers/offer.h"

#include <algorithm>

#include "parsers/sasl.h"

namespace postern {

namespace {

constexpr std::size_t kNameMax = 20;
constexpr std::string_view kChannelBinding = "-PLUS";

bool in_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool can_be_relayed(std::string_view name) {
  if (name.empty() || name.size() > kNameMax || !std::ranges::all_of(name, in_name)) return false;
  return name.size() < kChannelBinding.size() ||
         !same_word(name.substr(name.size() - kChannelBinding.size()), kChannelBinding);
}

}  // namespace

std::vector<Offer> offers_of(const FrontSetup& setup) {
  std::vector<Offer> offers;
  offers.reserve(setup.mechanisms.size() + setup.relayed.size());
  const auto add = [&offers](const Offer& offer) {
    const auto same = [&offer](const Offer& other) { return same_word(offer.name, other.name); };
    if (!offer.name.empty() && std::ranges::none_of(offers, same)) offers.push_back(offer);
  };
  for (const Mechanism mechanism : setup.mechanisms) add({mechanism, sasl_name_of(mechanism)});
  for (const std::string& name : setup.relayed) {
    if (can_be_relayed(name)) add({Mechanism::Relayed, name});
  }
  return offers;
}

std::optional<Offer> find_offer(const FrontSetup& setup, std::string_view name) {
  for (const Offer& offer : offers_of(setup)) {
    if (same_word(offer.name, name)) return offer;
  }
  return std::nullopt;
}

bool offers_passwords(const FrontSetup& setup) {
  return std::ranges::any_of(setup.mechanisms, [](Mechanism mechanism) {
    return mechanism == Mechanism::Plain || mechanism == Mechanism::Login;
  });
}

}  // namespace postern
