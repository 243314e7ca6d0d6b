"""The wire: facewire.v1 over grpc.aio. Translates, and decides nothing about faces."""
