#include "proxy/tls/name_table.h"

namespace postern::tls {
namespace {

void add(Choice& choice, const Certificate& certificate) {
  const Certificate*& place = certificate.info.ecdsa ? choice.ecdsa : choice.rsa;
  if (place == nullptr) place = &certificate;
}

}  // namespace

NameTable::NameTable(std::span<const Certificate> certificates) {
  for (const Certificate& certificate : certificates) {
    for (const std::string& name : certificate.info.names) add(choices_[name], certificate);
  }
  const Certificate& first = certificates.front();
  add(default_, first);
  for (const std::string& name : first.info.names) {
    const Choice& choice = choices_[name];
    if (const Certificate* other = first.info.ecdsa ? choice.rsa : choice.ecdsa) add(default_, *other);
  }
}

Choice NameTable::find(std::string_view name) const {
  if (const auto exact = choices_.find(name); exact != choices_.end()) return exact->second;
  if (const std::size_t dot = name.find('.'); dot != std::string_view::npos && dot > 0) {
    const std::string wildcard = "*" + std::string(name.substr(dot));
    if (const auto found = choices_.find(wildcard); found != choices_.end()) return found->second;
  }
  return default_;
}

}  // namespace postern::tls
