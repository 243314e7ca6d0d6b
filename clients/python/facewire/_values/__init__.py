"""Values: what callers pass and get. No gRPC, no protobuf, no loop."""
