// One stream on a connection of its own.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "facewire/credentials.h"
#include "facewire/v1/recognition.grpc.pb.h"

namespace facewire {

/// A stream from its opening to its status. One thread reads, one writes; `cancel` may be called by any.
class Call {
 public:
  /// Opens a new connection, and a stream on it. Nothing is waited for.
  Call(const std::string& target, const Credentials& credentials);

  /// Each of these waits; false: the stream has ended, and `finish` says how.
  bool write(const v1::StreamRecognizeRequest& request) { return stream_->Write(request); }
  bool half_close() { return stream_->WritesDone(); }
  bool read(v1::StreamRecognizeResponse& response) { return stream_->Read(&response); }

  /// Ends the stream: what waits returns.
  void cancel() { context_.TryCancel(); }

  /// Returns the status. Once, after the last read and write.
  grpc::Status finish() { return stream_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::RecognitionService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamRecognizeRequest, v1::StreamRecognizeResponse>> stream_;
};

}  // namespace facewire
