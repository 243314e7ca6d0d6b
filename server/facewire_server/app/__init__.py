"""The composition root: the one room that knows all others, and joins them by the settings."""

from facewire_server.app.serving import serve

__all__ = ["serve"]
