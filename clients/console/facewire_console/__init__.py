"""The console of facewire: a page, JSON over HTTP and a WebSocket in front of a gRPC server.

An ordinary client of the service: it never imports the server, and has no other way into a gallery.
"""

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
