"""Logs on standard error, one entry an event: text for a person at a terminal, JSON lines elsewhere.

docs/logs.md lists the entries. None holds a picture, an embedding, a name or an id of a person.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from facewire_server.events import TlsFailed
from facewire_server.logs.decoder_lines import DECODER_LINE, is_of_decoder
from facewire_server.logs.formatters import JsonLines, Text
from facewire_server.logs.library_lines import library_lines
from facewire_server.logs.listener import LIBRARY_MESSAGE, LogListener
from facewire_server.logs.rate_limit import RateLimit

__all__ = ["logging_to_stderr"]

_HANDSHAKE: Final = re.compile(r"Handshake failed with error (?:.*OPENSSL_internal:)?(\w+)")
"""gRPC's line for a failed TLS handshake (its src/core/tsi/ssl_transport_security.cc), and BoringSSL's
word for the reason. gRPC reports it nowhere else, and never the peer."""

_LEVELS: Final = {"I": logging.INFO, "W": logging.WARNING, "E": logging.ERROR, "F": logging.ERROR}
"""By the first letter of a line of gRPC's (Abseil's format)."""

_log = logging.getLogger("stderr")


@contextmanager
def logging_to_stderr(log_format: str, worker: int | None = None) -> Iterator[LogListener]:
    """Sends all logs of the process to standard error, libraries' included, until the block ends.

    Call it in a running event loop.

    Args:
        log_format: "text", "json", or "auto": text if standard error is a terminal.
        worker: process id that each entry shows; None: none does.

    Yields:
        The `Emit` that logs events.
    """
    as_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    limit = RateLimit()
    listener = LogListener(limit)
    loop = asyncio.get_running_loop()

    def on_line(line: str) -> None:
        if is_of_decoder(line):
            limit.count(DECODER_LINE)
        elif failure := _HANDSHAKE.search(line):
            loop.call_soon_threadsafe(listener, TlsFailed(failure[1]))
        else:
            is_grpcs = re.match(r"[IWEF]\d{4} \d\d:", line)
            _log.log(_LEVELS[line[0]] if is_grpcs else logging.WARNING, "%s", line)

    with library_lines(on_line) as stderr:
        handler = _Handler(stderr)
        handler.setFormatter(Text(worker) if as_text else JsonLines(worker))
        handler.addFilter(lambda record: _is_own(record) or limit.admits(LIBRARY_MESSAGE))
        logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
        yield listener


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:
        """Drops the entry, since nothing reads standard error: its terminal was closed, for example.

        Python's own method reports to `sys.stderr`, which would come back as lines to log.
        """


def _is_own(record: logging.LogRecord) -> bool:
    return hasattr(record, "fields")
