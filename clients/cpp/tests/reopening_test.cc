// When a stream is opened again, and after which pause.
#include "reopening.h"

#include <gtest/gtest.h>

#include "status.h"
#include "statuses.h"

namespace facewire {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;

Error error(StatusCode code, const std::string& reason, double retry_after_s = -1) {
  return error_of(status(code, reason, retry_after_s));
}

Error broken() { return error_of(grpc::Status(StatusCode::UNAVAILABLE, "Socket closed")); }

TEST(Reopening, ABusyWorkersRefusalIsFollowedAtOnceByFourAttempts) {
  Reopening reopening;
  const Error busy = error(StatusCode::UNAVAILABLE, "WORKER_BUSY");
  for (int attempt = 0; attempt < 4; ++attempt) {
    ASSERT_TRUE(reopening.goes_on(busy));
    EXPECT_EQ(reopening.pause(busy), milliseconds::zero());
  }
  ASSERT_TRUE(reopening.goes_on(busy));
  EXPECT_GE(reopening.pause(busy), milliseconds{500});
  reopening.opened("");
  EXPECT_GE(reopening.pause(busy), milliseconds{500}) << "some streams open, and are refused then";
  reopening.progressed();
  EXPECT_EQ(reopening.pause(busy), milliseconds::zero()) << "after a result";
}

TEST(Reopening, TheServersPauseIsAddedUnlessItIsChosenForThisStream) {
  Reopening reopening;
  const Error full = error(StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", 3);
  EXPECT_GE(reopening.pause(full), milliseconds{3500});
  v1::Reconnect asked;
  asked.set_after_ms(250);
  EXPECT_EQ(reopening.pause(error_of(asked)), milliseconds{250});
}

TEST(Reopening, PausesAreShortAgainAfterAResultAndNotAfterAStreamThatOpens) {
  Reopening reopening;
  for (int attempt = 0; attempt < 6; ++attempt) reopening.pause(broken());
  reopening.opened("token");
  EXPECT_GE(reopening.pause(broken()), milliseconds{15000});
  reopening.progressed();
  EXPECT_LE(reopening.pause(broken()), milliseconds{1000});
}

TEST(Reopening, ATokenThatAnOlderServerRefusesIsLeftOutOnce) {
  Reopening reopening;
  reopening.opened("token");
  const Error refused = error(StatusCode::UNIMPLEMENTED, "NOT_IMPLEMENTED");
  ASSERT_TRUE(reopening.goes_on(refused));
  EXPECT_EQ(reopening.token(), "");
  EXPECT_EQ(reopening.pause(refused), milliseconds::zero());
  EXPECT_FALSE(reopening.goes_on(refused));
}

TEST(Reopening, ACertificateOrTokenThatIsRefusedIsReadAgainOnceUntilAResultComes) {
  Reopening reopening;
  const Error refused = error(StatusCode::UNAUTHENTICATED, "TOKEN_REQUIRED");
  EXPECT_TRUE(reopening.goes_on(refused));
  EXPECT_FALSE(reopening.goes_on(refused));
  reopening.progressed();
  EXPECT_TRUE(reopening.goes_on(refused));
}

TEST(Reopening, WhatDoesNotPassByItselfEndsTheCamera) {
  Reopening reopening;
  EXPECT_FALSE(reopening.goes_on(error(StatusCode::ABORTED, "STREAM_TAKEN_OVER")));
  EXPECT_FALSE(reopening.goes_on(error(StatusCode::NOT_FOUND, "GALLERY_NOT_FOUND")));
  EXPECT_FALSE(reopening.goes_on(error(StatusCode::DATA_LOSS, "GALLERY_DAMAGED")));
  EXPECT_TRUE(reopening.goes_on(broken()));
}

TEST(Reopening, AStreamThatEndedForWantOfAFrameWaitsForOne) {
  v1::Reconnect idle;
  idle.set_reason(v1::RECONNECT_REASON_IDLE);
  EXPECT_TRUE(lacked_frames(error_of(idle)));
  EXPECT_TRUE(lacked_frames(error(StatusCode::DEADLINE_EXCEEDED, "TIMED_OUT")));
  EXPECT_FALSE(lacked_frames(error(StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")));
  EXPECT_FALSE(lacked_frames(broken()));
}

}  // namespace
}  // namespace facewire
