"""`facewire-server` whose decoder hangs in every picture, and whose waits at its start and end are short.

For `running_server(module="tests.fakes.hanging_server")`.
"""

import sys
import threading
from typing import NoReturn

from facewire_server.__main__ import main
from facewire_server.app import serving
from facewire_server.pipeline import find


def hang(*_: object) -> NoReturn:
    """Never returns, as a decoder in an endless loop; it cannot be stopped."""
    print("hanging: the decoder was called", file=sys.stderr, flush=True)
    while True:
        threading.Event().wait()


if __name__ == "__main__":
    for name, value in {"_OPEN_S": 1.0, "_STOP_S": 1.5, "_CLOSE_S": 1.0}.items():
        setattr(serving, name, value)
    setattr(find, "decode", hang)  # noqa: B010 - mypy refuses to assign a function
    sys.exit(main())
