"""A picture that there is no memory for is not a damaged picture."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facewire_server.errors import OutOfMemory, UndecodableImage
from facewire_server.pictures import decode as decoding
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits
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
most = size + (int(sys.argv[2]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    decode(picture, header)
except ServerError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "AVIF", "BGRA8"])
def test_no_memory_is_told_as_such(kind: str, repository: Path) -> None:
    image = np.zeros((4000, 4000, 3), np.uint8)
    options = {"AVIF": {"speed": 10}, "WEBP": {"lossless": True, "method": 0}}.get(kind, {})
    data = bytes(4000 * 4000 * 4) if kind == "BGRA8" else encoded(image, kind, **options)
    done = probed(repository, data, kind, 16)
    assert done.startswith("OutOfMemory there was no memory to decode 4000x4000"), done


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_damaged_picture_is_told_as_such_if_there_is_memory_for_it(
    kind: str, repository: Path
) -> None:
    """Memory of 8 bytes a pixel is enough to decode either."""
    data = encoded(np.zeros((4000, 4000, 3), np.uint8), kind)
    assert probed(repository, data, kind, 140) == ""
    # Without its first table, or with compressed pixels that cannot be.
    damaged = data.replace(b"\xff\xdb", b"\xff\xef")
    if kind == "PNG":
        at = data.index(b"IDAT") + 4
        damaged = data[:at] + b"\0\0" + data[at + 2 :]
    assert probed(repository, damaged, kind, 140).startswith("UndecodableImage")


def probed(repository: Path, data: bytes, kind: str, free_mb: int) -> str:
    """Decodes in a process that has so much memory left; returns the error's class and text."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE, kind, str(free_mb)],
        input=data,
        env={"PYTHONPATH": str(repository / "server")},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("size", "error"), [((0, 0), UndecodableImage), ((1 << 30, 1 << 20), OutOfMemory)]
)
@pytest.mark.parametrize("step", ["refuse_if_much_is_lost", "rotated", "upright"])
def test_an_error_of_a_library_in_any_step_is_the_pictures(
    step: str, size: tuple[int, int], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture is known that does this, so that a step is replaced by one that OpenCV refuses."""
    picture = Picture(encoded(np.zeros((64, 64, 3), np.uint8), "JPEG")[:-2])
    header = read_header(picture, PictureLimits(1 << 20, 1 << 20))
    monkeypatch.setattr(
        decoding, step, lambda *_, **__: cv2.resize(np.zeros((4, 4), np.uint8), size)
    )
    with pytest.raises(error):
        decoding.decode(picture, header)
