"""The command `facewire` as its users run it: as a process."""

import json
import os
import signal
import subprocess
import sys

from fakes.python import PATHS

__all__ = ["command", "ended_by_ctrl_c", "environment", "interruptible", "lines"]


def command(arguments):
    """The command line of the command, of which warnings are errors."""
    return [sys.executable, "-W", "error", "-m", "facewire", *map(str, arguments)]


def environment(server):
    """The environment that names the server, with room for tables."""
    return os.environ | {"PYTHONPATH": PATHS, "FACEWIRE_SERVER": server, "COLUMNS": "200"}


def lines(result):
    """The objects that were printed, one a line."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def interruptible(arguments, address):
    """Starts the command with Ctrl-C turned on; tests that run in the background have it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            command(arguments),
            env=environment(address),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def ended_by_ctrl_c(process):
    """Presses Ctrl-C, once, and waits for the end; what was printed."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=30)
