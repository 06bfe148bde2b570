#pragma once

#include <vector>

#include "parsers/address.h"

namespace postern::net {

// The addresses that this machine has now, on all its interfaces.
std::vector<Address> own_addresses();

}  // namespace postern::net
