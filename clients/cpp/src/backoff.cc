// Draws pauses.
#include "backoff.h"

#include <algorithm>

namespace facewire {

std::chrono::milliseconds Backoff::next() {
  std::uniform_int_distribution<std::chrono::milliseconds::rep> part(bound_.count() / 2, bound_.count());
  const std::chrono::milliseconds pause{part(random_)};
  bound_ = std::min(2 * bound_, kLongest);
  return pause;
}

}  // namespace facewire
