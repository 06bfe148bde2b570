#include <cstdint>

#include "parsers/proxy_header.h"
#include "tests/fuzz/require.h"

// A decision stays when more bytes come; nobody waits for more than the greatest header; and what was read is
// written so that it is read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern;
  using fuzz::require;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = parse_proxy_header(bytes);
  const auto* complete = std::get_if<ProxyHeaderComplete>(&whole);
  require(!std::holds_alternative<ProxyHeaderIncomplete>(whole) || size < kProxyHeaderMax,
          "waiting is bounded");

  bool invalid = false;
  for (std::size_t end = 0; end < size; ++end) {
    const auto part = parse_proxy_header(bytes.substr(0, end));
    invalid = std::holds_alternative<ProxyHeaderInvalid>(part);
    if (invalid) break;
    const auto* early = std::get_if<ProxyHeaderComplete>(&part);
    if (early == nullptr) continue;
    require(complete != nullptr && early->size == complete->size && early->header == complete->header,
            "a complete header stays");
    break;
  }
  require(!invalid || std::holds_alternative<ProxyHeaderInvalid>(whole), "an invalid header stays invalid");
  if (complete == nullptr) return 0;

  require(complete->size <= size && complete->size <= kProxyHeaderMax, "a header is a part of what came");
  const ProxyHeader& header = complete->header;
  const auto again = parse_proxy_header(write_proxy_v2(header));
  require(std::holds_alternative<ProxyHeaderComplete>(again), "what version 2 writes is a header");
  const ProxyHeader& read = std::get<ProxyHeaderComplete>(again).header;
  const bool writable =
      header.has_addresses && header.source.address.family == header.destination.address.family;
  require(read.has_addresses == writable, "addresses are written where they can be");
  require(!writable || (read.source == header.source && read.destination == header.destination &&
                        read.authority == header.authority && read.secure == header.secure),
          "version 2 is read back the same");
  const auto line = parse_proxy_header(write_proxy_v1(header));
  require(std::holds_alternative<ProxyHeaderComplete>(line), "what version 1 writes is a header");
  return 0;
}
