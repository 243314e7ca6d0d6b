"""Has a storage read in another process before it is used here.

LMDB trusts its pages: one that is missing, because the file was cut short, or whose numbers make no sense ends the
process that reads it, by a signal. So another process reads everything once, and a storage that would end the server
is refused with a message instead. A gallery in which something cannot be is named.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["damaged_galleries"]

_CHECK: Final = "facewire_server.backends.lmdb_gallery.soundness"
"""The module that is run."""


def damaged_galleries(folder: Path) -> tuple[str, ...]:
    """Returns the ids of the galleries in the storage in which something cannot be; blocks.

    Raises:
        OSError: the storage as a whole cannot be read.
    """
    file = folder / "data.mdb"
    if not file.exists():
        return ()
    if not file.stat().st_size:
        # LMDB would make an empty storage of it, and everyone in it would be gone without a word.
        raise OSError(f"{file} is empty: restore it, or delete it if there never was a gallery")
    command = [sys.executable, "-m", _CHECK, str(folder)]
    # Without a terminal, so that Ctrl-C is for the server only.
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return tuple(json.loads(done.stdout))
    if done.returncode > 0:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    elif done.returncode == -signal.SIGBUS:
        reason = "it was cut short"
    else:
        reason = f"reading it ended with {signal.Signals(-done.returncode).name}"
    raise OSError(f"{file} is damaged and must be restored from a backup: {reason}")
