#pragma once

#include <chrono>

namespace postern {

// Time is an argument: the loop reads the clock once per turn, a simulation makes its own.
using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::milliseconds;

inline constexpr Time kNever = Time::max();

constexpr double seconds(Time::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace postern
