"""The facewire server: frames in, names out, over gRPC."""
