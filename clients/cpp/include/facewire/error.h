// Why a stream ended, and whether another one is worth an attempt.
#pragma once

#include <grpcpp/support/status.h>

#include <chrono>
#include <string>

#include "facewire/v1/face.pb.h"

namespace facewire {

/// What ended a stream, or keeps it from being opened.
struct Error {
  /// gRPC's status; OK if the server ended the stream and asked for another one.
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;

  /// facewire's reason; ERROR_REASON_UNSPECIFIED if the status has none: the connection was not made, or broke.
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;

  /// What happened, in English, for people. It holds no token and no name.
  std::string detail;

  /// Whether another stream may succeed later.
  bool retryable = false;

  /// The server asks to wait this long before.
  std::chrono::milliseconds retry_after{0};

  /// The server has chosen `retry_after` for this stream alone: there is no pause beside it.
  bool is_pause_chosen = false;
};

}  // namespace facewire
