// How fast a live camera sends.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace facewire::program {

constexpr double kLeastFps = 0.1;  // also if a server advises less: a picture is due within 10 s. Chosen, not measured.
constexpr double kMostFps = 240.0;

/// Returns the time from one picture to the next.
///
/// Args:
///   asked_fps: of the command line.
///   advised_fps: of the server, any value; 0 or less: none.
inline std::chrono::microseconds between_pictures(double asked_fps, float advised_fps) {
  const double fps = advised_fps > 0 ? std::min(asked_fps, static_cast<double>(advised_fps)) : asked_fps;
  return std::chrono::microseconds(static_cast<std::int64_t>(1e6 / std::max(fps, kLeastFps)));
}

}  // namespace facewire::program
