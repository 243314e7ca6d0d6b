"""A picture that there is no memory for is not a damaged picture."""

import subprocess
import sys

import numpy as np
import pytest

from fakes.odd_pictures import encoded

PROBE = """
import resource, sys
import cv2
from facewire_server.errors import ServerError
from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureFormat, PictureLimits

cv2.setNumThreads(1)
data = sys.stdin.buffer.read()
layout = PictureFormat[sys.argv[1]]
picture = Picture(data, layout, 4000, 4000)
header = read_header(picture, PictureLimits(1 << 30, 50_000_000))
with open("/proc/self/status") as status:
    size = next(int(line.split()[1]) for line in status if line.startswith("VmSize")) << 10
resource.setrlimit(resource.RLIMIT_AS, (size + (16 << 20), size + (16 << 20)))
try:
    decode(picture, header)
except ServerError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "AVIF", "BGRA8"])
def test_no_memory_is_told_as_such(kind: str, repository) -> None:
    image = np.zeros((4000, 4000, 3), np.uint8)
    options = {"AVIF": {"speed": 10}, "WEBP": {"lossless": True, "method": 0}}.get(kind, {})
    data = bytes(4000 * 4000 * 4) if kind == "BGRA8" else encoded(image, kind, **options)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE, kind],
        input=data,
        env={"PYTHONPATH": str(repository / "server")},
        capture_output=True,
        timeout=60,
    )
    assert done.stdout.decode().startswith("OutOfMemory there was no memory to decode 4000x4000"), (
        done
    )
