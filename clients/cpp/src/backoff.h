// Pauses before the attempts to reach a server that was lost.
#pragma once

#include <chrono>
#include <random>

namespace facewire {

/// Pauses that double until something comes, of which a random part is waited, at least half: so the cameras of
/// a server that returns do not come at the same moment.
class Backoff {
 public:
  /// Longest pause before the first attempt. As the Python client's.
  static constexpr std::chrono::milliseconds kFirst{1000};

  /// Longest pause. As the Python client's.
  static constexpr std::chrono::milliseconds kLongest{30000};

  /// Returns the pause before the next attempt.
  std::chrono::milliseconds next();

  /// Begins with short pauses again. Not when something was opened: some open, and send nothing.
  void reset() { bound_ = kFirst; }

 private:
  std::chrono::milliseconds bound_ = kFirst;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace facewire
