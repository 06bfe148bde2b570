#pragma once

#include "parsers/proxy_header.h"

namespace postern {

// A header with these two ends, "ADDRESS:PORT" each.
inline ProxyHeader addressed(const char* source, const char* destination) {
  ProxyHeader header;
  header.has_addresses = true;
  header.source = *Endpoint::parse(source);
  header.destination = *Endpoint::parse(destination);
  return header;
}

}  // namespace postern
