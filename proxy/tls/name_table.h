#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/tls/certificates.h"

namespace postern::tls {

// Certificates for one name, by kind of key; at least one is there.
struct Choice {
  const Certificate* ecdsa = nullptr;
  const Certificate* rsa = nullptr;
};

// Which certificates serve a name: those that have it, else those with the wildcard for its leftmost label
// (RFC 9525 §6.3), else the default: the first certificate, and the first of the other kind that shares one
// of its names. Of several certificates of one kind for a name the first serves. Points into `certificates`.
class NameTable {
 public:
  explicit NameTable(std::span<const Certificate> certificates);

  // `name` in lower case; empty: the default.
  Choice find(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  std::unordered_map<std::string, Choice, Hash, std::equal_to<>> choices_;
  Choice default_;
};

}  // namespace postern::tls
