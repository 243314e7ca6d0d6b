"""The command `facewire-server crops`: what is done with all kept crops at once."""

from contextlib import closing
from typing import Final

from facewire_server.app.command_lines import keep_line
from facewire_server.app.gallery_files import show_progress
from facewire_server.app.values import crop_keys
from facewire_server.backends.lmdb_gallery.crop_upkeep import drop_crops, rekey_crops
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.configuration.settings import Settings, SettingsError

__all__ = ["opened_storage", "run_crops_command"]

_MAP_BYTES: Final = 1 << 30
"""Address space to start with; the storage's own size counts if it is larger. Chosen, not measured."""


def opened_storage(settings: Settings) -> Environment:
    """Opens the galleries' storage beside the servers that use it.

    Raises:
        OSError: there is none, or it cannot be used.
        StorageDamaged: its file is.
    """
    folder = settings.data / "gallery"
    if not folder.is_dir():
        raise OSError(f"there is no gallery in {folder}: name the data folder of the server")
    return Environment(
        folder, GALLERY_STORAGE, map_bytes=_MAP_BYTES, max_bytes=settings.gallery_max_bytes
    )


def run_crops_command(verb: str, settings: Settings) -> str:
    """Carries out "rekey" or "drop", and returns what to print.

    Raises:
        SettingsError: the file of keys cannot be used, or none is named.
        ServerError, OSError: the text says why, and what to do.
    """
    keys = crop_keys(settings)
    if verb == "rekey" and keys is None:
        raise SettingsError(
            "enrollment_crop_key_file is not set: name the file whose first key is the new one"
        )
    with closing(opened_storage(settings)) as environment:
        if verb == "rekey" and keys is not None:
            count = rekey_crops(environment, keys, show_progress)
            said = f"{count} crops encrypted again with the first key of the file"
        else:
            count = drop_crops(environment)
            said = f"{count} crops removed"
    keep_line(settings, f"crops_{verb}", crops=count)
    return said
