"""A door for programs that speak with CompreFace or DeepStack: their paths, fields and errors over a facewire gallery."""

from facewire_console.compreface.routes import changes, routes

__all__ = ["changes", "routes"]
