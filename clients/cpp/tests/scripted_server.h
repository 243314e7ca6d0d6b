// A server in the test's own process, which answers frames as it is asked to.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>

#include "facewire/v1/recognition.grpc.pb.h"

namespace facewire {

class ScriptedServer : public v1::RecognitionService::Service {
 public:
  ScriptedServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  ~ScriptedServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

  std::atomic<bool> answers{true};          ///< false: frames are read and not accounted for
  std::atomic<int> end_after{0};            ///< ends the first stream with INTERNAL after as many frames; 0: never
  std::atomic<float> advised_fps{0};        ///< sent at the start
  std::atomic<bool> reconnects{false};      ///< ends each stream at its start, and asks for another one
  grpc::Status refusal;                     ///< of each stream, in place of `started`; set before there is a camera
  std::atomic<int> streams{0};              ///< opened so far
  std::atomic<int> frames{0};               ///< received so far

  grpc::Status StreamRecognize(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::StreamRecognizeResponse, v1::StreamRecognizeRequest>* stream) override {
    const int number = ++streams;
    v1::StreamRecognizeRequest request;
    stream->Read(&request);
    if (!refusal.ok()) return refusal;
    v1::StreamRecognizeResponse response;
    response.mutable_started()->set_max_in_flight(4);
    response.mutable_started()->set_max_frame_bytes(1 << 20);
    stream->Write(response);
    if (reconnects) {
      stream->Write(v1::StreamRecognizeResponse());  // a message of a newer contract
      response.mutable_reconnect()->set_reason(v1::RECONNECT_REASON_REBALANCE);
      stream->Write(response);
      return grpc::Status::OK;
    }
    if (advised_fps > 0) {
      response.mutable_advice()->set_target_fps(advised_fps);
      stream->Write(response);
    }
    int read = 0;
    while (stream->Read(&request)) {
      ++frames;
      if (answers) {
        auto* result = response.mutable_frame();
        result->set_sequence(request.frame().sequence());
        result->set_captured_at_us(request.frame().captured_at_us());
        result->set_status(v1::FRAME_STATUS_OK);
        stream->Write(response);
      }
      if (number == 1 && ++read == end_after) return {grpc::StatusCode::INTERNAL, "as scripted"};
    }
    return grpc::Status::OK;
  }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace facewire
