"""A server with a fault that a test of crashes must find: it acknowledges a write before the write is committed.

`python -m harness.early_answers` takes the place of `python -m facewire_server`.
"""

import sys
import time
from typing import Any, Final

from facewire_server.__main__ import main
from facewire_server.backends.lmdb_storage import writer

__all__: list[str] = []

_COMMIT_AFTER_S: Final = 0.05
"""Seconds from the acknowledgment to the commit. Chosen, not measured: many calls of a client fit into it."""


def _commit(self: writer.Writer, write: Any) -> None:
    def change(transaction: Any) -> None:
        write.outcome.set_result(write.begin(transaction))
        time.sleep(_COMMIT_AFTER_S)

    try:
        self._environment.write(change, beyond_quota=write.beyond_quota)
    except BaseException as error:  # noqa: BLE001 - the caller's, as in the writer
        if not write.outcome.done():
            write.outcome.set_exception(error)


if __name__ == "__main__":
    writer.Writer._commit = _commit  # type: ignore[method-assign]
    sys.exit(main())
