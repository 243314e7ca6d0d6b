// Pauses double, are random, and are short again after a result.
#include "backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace facewire {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, APauseIsAtLeastHalfOfABoundThatDoublesUpToThirtySeconds) {
  for (int round = 0; round < 200; ++round) {
    Backoff backoff;
    for (const int bound_ms : {1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
      const auto pause = backoff.next();
      EXPECT_GE(pause, milliseconds{bound_ms / 2});
      EXPECT_LE(pause, milliseconds{bound_ms});
    }
  }
}

TEST(Backoff, CamerasDoNotReturnAtTheSameMoment) {
  std::set<milliseconds> pauses;
  for (int camera = 0; camera < 100; ++camera) pauses.insert(Backoff().next());
  EXPECT_GT(pauses.size(), 50U);
}

TEST(Backoff, PausesAreShortAgainAfterAReset) {
  Backoff backoff;
  for (int attempt = 0; attempt < 6; ++attempt) backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), Backoff::kFirst);
}

}  // namespace
}  // namespace facewire
