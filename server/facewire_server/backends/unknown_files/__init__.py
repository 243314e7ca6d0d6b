"""Unknown people in files, one a person: shared by the processes of a server, encrypted if there is a key, erased by overwriting."""

from facewire_server.backends.unknown_files.store import UnknownFiles

__all__ = ["UnknownFiles"]
