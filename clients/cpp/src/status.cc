// Reads what a status says: facewire's reason, and when to try again.
#include "status.h"

#include <algorithm>

#include "status_details.pb.h"

namespace facewire {
namespace {

constexpr char kDomain[] = "facewire";  // `ErrorInfo.domain`; reasons of other domains are not read
constexpr std::chrono::hours kLongest{1};  // of a pause that a server may ask for. Chosen, not measured.

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

/// Reads one detail into an error. Returns whether the server says when to try again.
bool read_detail(const details::Any& detail, Error& error) {
  details::ErrorInfo info;
  if (ends_with(detail.type_url(), "/google.rpc.ErrorInfo") && info.ParseFromString(detail.value()) &&
      info.domain() == kDomain) {
    v1::ErrorReason reason{};
    if (v1::ErrorReason_Parse("ERROR_REASON_" + info.reason(), &reason)) error.reason = reason;
  }
  details::RetryInfo retry;
  if (!ends_with(detail.type_url(), "/google.rpc.RetryInfo") || !retry.ParseFromString(detail.value())) {
    return false;
  }
  const auto& delay = retry.retry_delay();
  if (delay.seconds() < 0 || delay.nanos() < 0) return true;
  error.retry_after = std::chrono::seconds{delay.seconds()} >= kLongest
                          ? kLongest
                          : std::chrono::milliseconds{delay.seconds() * 1000 + delay.nanos() / 1'000'000};
  return true;
}

/// Whether what has this reason may pass by itself.
bool passes(v1::ErrorReason reason) {
  switch (reason) {
    case v1::ERROR_REASON_TOO_MANY_STREAMS:
    case v1::ERROR_REASON_SLOW_READER:
    case v1::ERROR_REASON_TOO_MANY_CALLS:
    case v1::ERROR_REASON_OUT_OF_MEMORY:
    case v1::ERROR_REASON_MODEL_UNAVAILABLE:
    case v1::ERROR_REASON_WORKER_BUSY:
    case v1::ERROR_REASON_STORAGE_BUSY:
    case v1::ERROR_REASON_SHUTTING_DOWN:
    case v1::ERROR_REASON_TIMED_OUT:
      return true;
    default:
      return false;
  }
}

/// Whether a status without a reason may pass by itself: a connection that was not made, or broke, and what a proxy
/// makes of it. A facewire server gives every fault a reason.
bool passes(grpc::StatusCode code, const std::string& detail) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:  // gRPC's own refusal of a large message does not
      return !contains(detail, "larger than max");
    default:
      return contains(detail, "http2 header with status: 50") || contains(detail, "http2 header with status: 429") ||
             contains(detail, "http2 header with status: 408");
  }
}

}  // namespace

Error error_of(const grpc::Status& status) {
  Error error;
  error.code = status.error_code();
  error.detail = status.error_message();
  bool is_again_said = false;
  details::Status read;
  if (read.ParseFromString(status.error_details())) {
    for (const auto& detail : read.details()) is_again_said |= read_detail(detail, error);
  }
  error.retryable = is_again_said || (error.reason == v1::ERROR_REASON_UNSPECIFIED
                                          ? passes(error.code, error.detail)
                                          : passes(error.reason));
  return error;
}

Error error_of(const v1::Reconnect& reconnect) {
  Error error;
  error.code = grpc::StatusCode::OK;
  error.detail = "the server ends this stream and asks for another one";
  error.retryable = true;
  error.retry_after = std::min<std::chrono::milliseconds>(std::chrono::milliseconds{reconnect.after_ms()}, kLongest);
  error.is_pause_chosen = reconnect.after_ms() > 0;
  switch (reconnect.reason()) {
    case v1::RECONNECT_REASON_SHUTTING_DOWN:
      error.reason = v1::ERROR_REASON_SHUTTING_DOWN;
      break;
    case v1::RECONNECT_REASON_IDLE:
      error.reason = v1::ERROR_REASON_TOO_MANY_STREAMS;
      break;
    default:
      error.reason = v1::ERROR_REASON_WORKER_BUSY;
  }
  return error;
}

Error ended_early() {
  Error error;
  error.code = grpc::StatusCode::OK;
  error.detail = "the server ended the stream with frames unanswered";
  error.retryable = true;
  return error;
}

Error without_credentials(const std::string& fault) {
  Error error;
  error.code = grpc::StatusCode::UNAUTHENTICATED;
  error.detail = fault;
  error.retryable = true;
  return error;
}

}  // namespace facewire
