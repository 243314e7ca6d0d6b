// What a status says: the reason, and whether another stream is worth an attempt.
#include "status.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>

#include "statuses.h"

namespace facewire {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;

const std::set<v1::ErrorReason> kPassing{
    v1::ERROR_REASON_TOO_MANY_STREAMS, v1::ERROR_REASON_SLOW_READER,  v1::ERROR_REASON_TOO_MANY_CALLS,
    v1::ERROR_REASON_OUT_OF_MEMORY,    v1::ERROR_REASON_WORKER_BUSY,  v1::ERROR_REASON_MODEL_UNAVAILABLE,
    v1::ERROR_REASON_STORAGE_BUSY,     v1::ERROR_REASON_SHUTTING_DOWN, v1::ERROR_REASON_TIMED_OUT};

TEST(Status, EachReasonOfTheContractIsReadAndPassesOrNot) {
  const auto* reasons = v1::ErrorReason_descriptor();
  for (int index = 1; index < reasons->value_count(); ++index) {  // 0: no failure
    const auto reason = static_cast<v1::ErrorReason>(reasons->value(index)->number());
    const std::string name = reasons->value(index)->name().substr(std::string("ERROR_REASON_").size());
    const Error error = error_of(status(StatusCode::FAILED_PRECONDITION, name));
    EXPECT_EQ(error.reason, reason) << name;
    EXPECT_EQ(error.retryable, kPassing.count(reason) == 1) << name;
  }
}

TEST(Status, WithoutAReasonItIsTheConnectionOrAProxy) {
  const std::map<StatusCode, bool> passing{
      {StatusCode::UNAVAILABLE, true},        {StatusCode::INTERNAL, true},
      {StatusCode::UNKNOWN, true},            {StatusCode::CANCELLED, true},
      {StatusCode::DEADLINE_EXCEEDED, true},  {StatusCode::RESOURCE_EXHAUSTED, true},
      {StatusCode::UNIMPLEMENTED, false},     {StatusCode::UNAUTHENTICATED, false},
      {StatusCode::PERMISSION_DENIED, false}, {StatusCode::NOT_FOUND, false},
      {StatusCode::INVALID_ARGUMENT, false},  {StatusCode::FAILED_PRECONDITION, false},
      {StatusCode::ABORTED, false},           {StatusCode::DATA_LOSS, false}};
  for (const auto& [code, passes] : passing) {
    const Error error = error_of(grpc::Status(code, "words of a proxy"));
    EXPECT_EQ(error.reason, v1::ERROR_REASON_UNSPECIFIED);
    EXPECT_EQ(error.retryable, passes) << code;
  }
}

TEST(Status, AMessageThatGrpcItselfRefusesForItsSizeDoesNotPass) {
  const grpc::Status large(StatusCode::RESOURCE_EXHAUSTED, "Received message larger than max (9 vs. 8)");
  EXPECT_FALSE(error_of(large).retryable);
}

TEST(Status, APageOfAProxyThatIsNotFoundDoesNotPassAndOneOfAServerThatIsDownDoes) {
  const auto of_http = [](const char* number) {
    return error_of(grpc::Status(StatusCode::UNIMPLEMENTED, std::string("Received http2 header with status: ") + number));
  };
  EXPECT_FALSE(of_http("404").retryable);
  EXPECT_TRUE(of_http("502").retryable);
  EXPECT_TRUE(of_http("429").retryable);
}

TEST(Status, WhoSaysWhenToTryAgainSaysThatItIsWorthIt) {
  const Error error = error_of(status(StatusCode::RESOURCE_EXHAUSTED, "GALLERY_FULL", 2.5));
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.retry_after, milliseconds{2500});
}

TEST(Status, APauseThatAServerAsksForHasABound) {
  EXPECT_EQ(error_of(status(StatusCode::UNAVAILABLE, "SHUTTING_DOWN", 9e15)).retry_after, std::chrono::hours{1});
  v1::Reconnect reconnect;
  reconnect.set_after_ms(std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(error_of(reconnect).retry_after, std::chrono::hours{1});
}

TEST(Status, ReasonsOfOthersAndNewerOnesAreNotRead) {
  EXPECT_EQ(error_of(status(StatusCode::UNAVAILABLE, "NO_FACE", -1, "another")).reason, v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_EQ(error_of(status(StatusCode::UNAVAILABLE, "FROM_THE_FUTURE")).reason, v1::ERROR_REASON_UNSPECIFIED);
}

TEST(Status, DamagedDetailsAreNone) {
  const Error error = error_of(grpc::Status(StatusCode::UNAVAILABLE, "text", "\xff\xff\xff"));
  EXPECT_EQ(error.reason, v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_TRUE(error.retryable);
}

TEST(Status, AReconnectNamesItsPauseAlone) {
  v1::Reconnect reconnect;
  reconnect.set_reason(v1::RECONNECT_REASON_IDLE);
  reconnect.set_after_ms(700);
  const Error error = error_of(reconnect);
  EXPECT_TRUE(error.retryable);
  EXPECT_TRUE(error.is_pause_chosen);
  EXPECT_EQ(error.retry_after, milliseconds{700});
  EXPECT_EQ(error.reason, v1::ERROR_REASON_TOO_MANY_STREAMS);
}

}  // namespace
}  // namespace facewire
