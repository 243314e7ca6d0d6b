"""Another process that holds the write lock of a gallery's storage, as a stopped server or a foreign tool does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["held_write_lock"]

_HOLD = """
import lmdb, sys
environment = lmdb.open(sys.argv[1], max_dbs=9, map_size=1 << 24)
with environment.begin(write=True) as transaction:
    print("held", flush=True)
    sys.stdin.read()
    transaction.abort()
"""


@contextmanager
def held_write_lock(folder: Path) -> Iterator[None]:
    """Holds LMDB's own lock of the storage in `folder` for the block."""
    command = [sys.executable, "-c", _HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.communicate(timeout=30)  # closes its standard input, which releases the lock
