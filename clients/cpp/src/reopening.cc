// The rules of docs/firmware.md, in code.
#include "reopening.h"

#include <utility>

namespace facewire {

void Reopening::opened(std::string token) { token_ = std::move(token); }

void Reopening::progressed() {
  is_renewed_ = false;
  busy_attempts_ = kBusyAttempts;
  backoff_.reset();
}

bool Reopening::goes_on(const Error& error) {
  is_token_refused_ = error.code == grpc::StatusCode::UNIMPLEMENTED && !error.retryable && !token_.empty();
  if (is_token_refused_) {  // by an older server, which does not resume
    token_.clear();
    return true;
  }
  if (error.reason == v1::ERROR_REASON_TOKEN_REQUIRED) {  // once: credentials are read for each connection
    return !std::exchange(is_renewed_, true);
  }
  return error.retryable;
}

std::chrono::milliseconds Reopening::pause(const Error& error) {
  if (is_token_refused_) return std::chrono::milliseconds::zero();
  if (error.reason == v1::ERROR_REASON_WORKER_BUSY && !error.is_pause_chosen && busy_attempts_ > 0) {
    --busy_attempts_;
    return std::chrono::milliseconds::zero();
  }
  if (error.is_pause_chosen) return error.retry_after;
  return error.retry_after + backoff_.next();
}

bool lacked_frames(const Error& error) {
  const bool is_idle = error.code == grpc::StatusCode::OK && error.reason == v1::ERROR_REASON_TOO_MANY_STREAMS;
  return is_idle || error.reason == v1::ERROR_REASON_TIMED_OUT;
}

}  // namespace facewire
