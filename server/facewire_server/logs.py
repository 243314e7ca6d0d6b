"""Logs on standard error: text for a person at a terminal, JSON lines for everything else.

What is logged is counts, times and reasons; never a frame, a vector, a name or an id
of a person.
"""

import json
import logging
import sys
from datetime import UTC, datetime

__all__ = ["configure"]


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(log_format: str) -> None:
    """Sends all logs of the process to standard error.

    Args:
        log_format: "text", "json", or "auto": text where standard error is a terminal.
    """
    as_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")
        if as_text
        else _JsonLines()
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
