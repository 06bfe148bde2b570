#include "proxy/pool/capabilities.h"

#include <algorithm>

namespace postern::pool {

namespace {

using Items = std::vector<std::string>;

char separator(Protocol protocol) { return protocol == Protocol::Imap ? ' ' : '\n'; }

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

bool contains(const Items& items, std::string_view item) {
  return std::ranges::any_of(items, [item](const std::string& other) { return same(other, item); });
}

Items split(std::string_view list, char by) {
  Items items;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(by), list.size());
    const std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!item.empty() && !contains(items, item)) items.emplace_back(item);
  }
  return items;
}

// "SASL PLAIN XOAUTH2" as one line for each mechanism: stores share some, in an order of their own.
Items split_mechanisms(const Items& lines) {
  constexpr std::string_view kSasl = "SASL ";
  Items items;
  for (const std::string& line : lines) {
    if (!same(std::string_view(line).substr(0, kSasl.size()), kSasl)) {
      items.push_back(line);
      continue;
    }
    for (const std::string& name : split(std::string_view(line).substr(kSasl.size()), ' ')) {
      items.push_back(std::string(kSasl) + name);
    }
  }
  return items;
}

}  // namespace

void Capabilities::set_pools(std::span<const Pool* const> pools) {
  std::lock_guard lock(mutex_);
  members_.clear();
  for (const Pool* pool : pools) {
    for (const Backend& backend : pool->backends()) members_.emplace_back(pool->name(), backend.name());
  }
  std::ranges::sort(members_);
  for (const Protocol protocol : {Protocol::Imap, Protocol::Pop3}) {
    std::erase_if(offers(protocol).told,
                  [this](const auto& entry) { return !std::ranges::binary_search(members_, entry.first); });
    update(protocol);
  }
}

void Capabilities::learn(const Backend& backend, Protocol protocol, std::string_view list) {
  Member member(backend.pool(), backend.name());
  Items items = split(list, separator(protocol));
  if (protocol == Protocol::Pop3) items = split_mechanisms(items);
  std::lock_guard lock(mutex_);
  if (!std::ranges::binary_search(members_, member)) return;
  Items& told = offers(protocol).told[std::move(member)];
  if (told == items && !items.empty()) return;
  told = std::move(items);
  update(protocol);
}

std::shared_ptr<const std::string> Capabilities::shared(Protocol protocol) const {
  std::lock_guard lock(mutex_);
  return offers_[static_cast<std::size_t>(protocol)].shared;
}

void Capabilities::update(Protocol protocol) {
  Offers& its = offers(protocol);
  std::shared_ptr<const std::string> shared;
  if (!its.told.empty()) {
    std::string list;
    for (const std::string& item : its.told.begin()->second) {
      const bool everywhere =
          std::ranges::all_of(its.told, [&item](const auto& entry) { return contains(entry.second, item); });
      if (!everywhere) continue;
      if (!list.empty()) list += separator(protocol);
      list += item;
    }
    shared = std::make_shared<const std::string>(std::move(list));
  }
  its.shared = std::move(shared);
}

}  // namespace postern::pool
