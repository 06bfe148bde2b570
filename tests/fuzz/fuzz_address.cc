#include <cstdint>
#include <string>

#include "parsers/address.h"
#include "tests/fuzz/require.h"

// What is read is written in one form, and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern;
  using fuzz::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto address = Address::parse(text)) {
    require(Address::parse(address->to_string()) == address, "an address is read back the same");
    require(limit_key(limit_key(*address)) == limit_key(*address), "a limit's key is its own key");
  }
  if (const auto endpoint = Endpoint::parse(text)) {
    require(Endpoint::parse(endpoint->to_string()) == endpoint, "an endpoint is read back the same");
  }
  if (const auto network = Network::parse(text)) {
    const std::string written = network->base.to_string() + "/" + std::to_string(network->prefix);
    require(Network::parse(written) == network, "a network is read back the same");
    require(network->contains(network->base), "a network holds its base");
  }
  return 0;
}
