// Connects: channel arguments, TLS, token.
#include "call.h"

namespace facewire {
namespace {

constexpr char kUserAgent[] = "facewire-cpp/0.1.0";

// A thousand faces with twenty candidates each are 8 MiB; gRPC's default is 4.
constexpr int kLargestMessageBytes = 32 << 20;

// Finds a dead connection within 40 s; the kernel takes a quarter of an hour. A facewire server allows a ping every
// 10 s; gRPC's own limit is 5 minutes. Chosen, not measured.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

grpc::ChannelArguments arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix(kUserAgent);
  arguments.SetMaxReceiveMessageSize(kLargestMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // By default gRPC stops after two pings without a frame between them: a camera that waits for motion would not
  // notice that its server has gone.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Channels of one process share connections by default, and a server's worker is chosen for each connection: a
  // stream that a busy worker refused needs another one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // gRPC's own retries would repeat a stream beside the ledger, which sends again itself.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const Credentials& credentials) {
  if (!credentials.is_encrypted()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = credentials.root_certificates;
  options.pem_cert_chain = credentials.client_certificate;
  options.pem_private_key = credentials.client_key;
  return grpc::SslCredentials(options);
}

}  // namespace

Call::Call(const std::string& target, const Credentials& credentials) {
  context_.set_initial_metadata_corked(true);  // sent with the first message: nothing waits here
  const auto channel = grpc::CreateCustomChannel(target, channel_credentials(credentials), arguments());
  const std::string token = stripped(credentials.token);
  if (!token.empty()) context_.AddMetadata("authorization", "Bearer " + token);
  stub_ = v1::RecognitionService::NewStub(channel);
  stream_ = stub_->StreamRecognize(&context_);
}

}  // namespace facewire
