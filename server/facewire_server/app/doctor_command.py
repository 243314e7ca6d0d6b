"""The command `facewire-server gallery doctor`: examines the galleries beside the servers that use them, and writes nothing."""

import argparse
import json

from facewire_server.app.doctor_report import as_document, as_lines
from facewire_server.app.gallery_files import show_progress
from facewire_server.app.values import read_model_contract, standards
from facewire_server.backends.lmdb_gallery.enrolled_people import enrolled_people, gallery_ids
from facewire_server.configuration.settings import Settings
from facewire_server.errors import GalleryDamaged, GalleryNotFound
from facewire_server.galleries.examined import Examined

__all__ = ["run_doctor_command"]


def run_doctor_command(flags: argparse.Namespace, settings: Settings) -> tuple[str, bool]:
    """Examines one gallery or all; returns what to print, and whether nothing was found.

    Args:
        flags: of `doctor_flags`.
        settings: of the server: its data, its thresholds and its enrollment limits.

    Raises:
        SettingsError: the model contract cannot be read.
        GalleryNotFound: there is no gallery of this id.
        StorageDamaged, StorageBusy, OSError: the storage cannot be read.
    """
    folder = settings.data / "gallery"
    held_to = standards(settings, read_model_contract(settings.model_contract))
    found, unsound = gallery_ids(folder)
    if flags.gallery is not None:
        if flags.gallery not in found:
            raise GalleryNotFound(f"there is no gallery {flags.gallery!r} in {folder}")
        found = [flags.gallery]
    examined: list[Examined] = []
    damaged: list[str] = []
    for gallery_id in found:
        try:
            if gallery_id in unsound:
                raise GalleryDamaged(gallery_id)
            info, people = enrolled_people(folder, gallery_id)
            examined.append(held_to.examine(info, people, flags.limit, show_progress))
        except GalleryDamaged:
            damaged.append(gallery_id)
        except GalleryNotFound:  # deleted meanwhile
            if flags.gallery is not None:
                raise
    is_sound = not damaged and all(one.is_sound for one in examined)
    if flags.json:
        documents = [as_document(one, names=flags.names) for one in examined]
        text = json.dumps({"galleries": documents, "damaged": damaged}, indent=2)
        return text, is_sound
    lines = [line for one in examined for line in as_lines(one, names=flags.names)]
    lines += [
        f"{gallery_id}: damaged, not examined: restore it from a backup" for gallery_id in damaged
    ]
    return "\n".join(lines), is_sound
