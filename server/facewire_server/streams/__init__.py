"""One camera's stream, without protobuf: what is read, worked on, skipped and returned."""
