#include "proxy/net/interfaces.h"

#include <cstring>
#include <span>
#include <sys/socket.h>
#include <uv.h>

#include "proxy/net/socket.h"

namespace postern::net {

std::vector<Address> own_addresses() {
  uv_interface_address_t* found = nullptr;
  int count = 0;
  if (uv_interface_addresses(&found, &count) != 0) return {};
  std::vector<Address> addresses;
  for (const uv_interface_address_t& one : std::span(found, static_cast<std::size_t>(count))) {
    sockaddr_storage address{};
    std::memcpy(&address, &one.address, sizeof(one.address));
    addresses.push_back(endpoint_from(address).address);
  }
  uv_free_interface_addresses(found, count);
  return addresses;
}

}  // namespace postern::net
