"""What was freed goes back to the operating system, also below a block that is still in use."""

import platform
import subprocess
import sys

import pytest

from fakes.python import PATHS

PROGRAM = """
import os
from facewire_server.host.memory import trim

def rss():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

blocks = [bytes(100_000) for _ in range(1000)]
kept = blocks[::50]
del blocks
before = rss()
print(trim(), before - rss())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can trim")
def test_freed_blocks_between_blocks_in_use_are_returned() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={"PYTHONPATH": PATHS}, capture_output=True, text=True
    )
    trimmed, returned = done.stdout.split()
    assert trimmed == "True"
    assert int(returned) > 50_000_000
