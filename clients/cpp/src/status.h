// The error of a stream's end.
#pragma once

#include <string>

#include "facewire/error.h"
#include "facewire/v1/recognition.pb.h"

namespace facewire {

/// Returns the error of a status other than OK.
Error error_of(const grpc::Status& status);

/// Returns the error of a stream that its server ended with OK, asking for another one.
Error error_of(const v1::Reconnect& reconnect);

/// Returns the error of a stream that ended with OK before its frames had ended.
Error ended_early();

/// Returns the error of credentials that cannot be read or used now; a file may be about to be renewed.
Error without_credentials(const std::string& fault);

}  // namespace facewire
