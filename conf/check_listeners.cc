#include <map>
#include <string>

#include "conf/checks.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

// Which key has an address first.
using Taken = std::map<Endpoint, std::string>;

void check_addresses(const Listener& listener, Taken& taken, Problems& problems) {
  const std::string table = join("listen", listener.name);
  const std::string path = table + ".address";
  const bool plain = listener.tls == ListenTls::None && problems.sound(table + ".tls");
  if (!problems.sound(path)) return;
  if (listener.addresses.empty()) {
    problems.at_value(path, path + " must have at least one address");
    return;
  }
  for (std::size_t i = 0; i < listener.addresses.size(); ++i) {
    const Endpoint& address = listener.addresses[i];
    const auto [first, is_new] = taken.emplace(address, element(path, i));
    if (!is_new) {
      problems.at_value(element(path, i), path + ": " + address.to_string() + " is already taken by " +
                                              without_indexes(first->second) +
                                              problems.line_of(first->second));
    } else if (plain && !address.address.is_loopback()) {
      problems.at_value(element(path, i),
                        path + ": " + address.to_string() +
                            " is not a loopback address; with tls = \"none\"" +
                            problems.line_of(table + ".tls") +
                            " passwords come in the clear, so only 127.0.0.0/8 and [::1] are allowed");
    }
  }
}

}  // namespace

void check_listeners(const Config& config, Problems& problems) {
  if (config.listeners.empty() && problems.sound("listen")) {
    problems.at_value("listen", "there is no listener; write [listen.NAME] with protocol and address");
  }
  Taken taken;
  for (const Listener& listener : config.listeners) check_addresses(listener, taken, problems);

  if (config.admin.http && problems.sound("admin.http")) {
    const auto first = taken.find(*config.admin.http);
    if (first != taken.end()) {
      problems.at_value("admin.http", "admin.http: " + config.admin.http->to_string() +
                                          " is already taken by " + without_indexes(first->second) +
                                          problems.line_of(first->second));
    }
  }
  for (const Listener& listener : config.listeners) {
    const std::string path = join("listen", listener.name);
    const bool needed = listener.tls != ListenTls::None && problems.sound(path + ".tls");
    if (!needed || !config.tls.certificates.empty() || !problems.sound("tls.certificates")) continue;
    problems.at_key(path,
                    path +
                        " needs a certificate for its TLS; write certificates = [{ chain = \"...\", key = "
                        "\"...\" }] in [tls]");
  }
}

}  // namespace postern::conf
