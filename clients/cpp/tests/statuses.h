// Statuses as a facewire server sends them.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "status_details.pb.h"

namespace facewire {

/// Returns a status with a reason, and with a time to wait if it is not negative.
inline grpc::Status status(grpc::StatusCode code, const std::string& reason, double retry_after_s = -1,
                           const std::string& domain = "facewire") {
  details::Status all;
  details::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(domain);
  auto* detail = all.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value(info.SerializeAsString());
  if (retry_after_s >= 0) {
    details::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(static_cast<std::int64_t>(retry_after_s));
    const double rest_s = retry_after_s - static_cast<double>(static_cast<std::int64_t>(retry_after_s));
    retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>(rest_s * 1e9));
    detail = all.add_details();
    detail->set_type_url("type.googleapis.com/google.rpc.RetryInfo");
    detail->set_value(retry.SerializeAsString());
  }
  return {code, "as scripted", all.SerializeAsString()};
}

}  // namespace facewire
