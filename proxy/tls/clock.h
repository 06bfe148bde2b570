#pragma once

#include <chrono>
#include <functional>

namespace postern::tls {

// Empty: the system's.
using Clock = std::function<std::chrono::system_clock::time_point()>;

}  // namespace postern::tls
