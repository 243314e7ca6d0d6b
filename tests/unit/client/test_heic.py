"""HEIC files become JPEG before they are sent, with the extra; without it the error says what to install."""

import contextlib
import io
import sys

import numpy as np
import PIL.Image
import pillow_heif
import pytest

import facewire
from facewire import Image
from facewire._values.heic import is_heic
from facewire._wire.write import image_message

EXIF_ORIENTATION = 0x0112


def scene():
    """(96, 160, 3) uint8 RGB: smooth, and different in every corner."""
    y, x = np.mgrid[0:96, 0:160]
    return np.stack([x * 255 // 159, y * 255 // 95, (x + y) * 255 // 254], -1).astype(np.uint8)


def heic(orientation=1):
    """The scene as a phone stores it: turned, with the boxes and the EXIF tag that turn it upright."""
    exif = PIL.Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    stored = {1: scene(), 3: scene()[::-1, ::-1], 6: np.rot90(scene()), 8: np.rot90(scene(), -1)}
    picture = PIL.Image.fromarray(np.ascontiguousarray(stored[orientation]))
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file, quality=90, exif=exif.tobytes())
    return file.getvalue()


@pytest.fixture
def without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_heic_file_is_sent_as_an_upright_jpeg(tmp_path, kind, orientation):
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(heic(orientation))
    message = image_message(kind(path))
    assert message.data.startswith(b"\xff\xd8\xff")
    sent = np.asarray(PIL.Image.open(io.BytesIO(message.data)))
    assert sent.shape == (96, 160, 3)
    assert np.abs(sent.astype(int) - scene()).mean() < 4


def test_transparency_is_no_obstacle():
    file = io.BytesIO()
    pillow_heif.from_pillow(PIL.Image.fromarray(scene()).convert("RGBA")).save(file)
    assert Image.from_bytes(file.getvalue()).data.startswith(b"\xff\xd8\xff")


def test_the_error_names_the_file_and_the_extra(tmp_path, without_the_extra):
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(heic())
    with pytest.raises(ValueError, match=r"IMG_0001\.HEIC .*pip install 'WHEEL\[heic\]'"):
        Image.from_file(path)
    with facewire.Client("127.0.0.1:1") as client, pytest.raises(ValueError, match="heic"):
        client.recognize(path)


def test_other_files_are_sent_as_they_are_under_any_name(tmp_path, without_the_extra):
    path = tmp_path / "renamed.heic"
    path.write_bytes(b"\xff\xd8\xffjpeg")
    assert Image.from_file(path).data == b"\xff\xd8\xffjpeg"


def test_bytes_are_converted_on_request_only():
    data = heic()
    assert image_message(data).data == data
    assert image_message(Image.from_bytes(data)).data.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("damage", ["half", "head", "brands", "zeros"])
def test_a_damaged_file_is_an_error_that_names_it(damage):
    data = heic()
    damaged = {
        "half": data[: len(data) // 2],
        "head": data[:12],
        "brands": data[:28],
        "zeros": data[:200] + bytes(len(data) - 200),
    }[damage]
    with pytest.raises(ValueError, match=r"a\.heic: the HEIC file is cut short or damaged"):
        Image.from_bytes(damaged, name="a.heic")


def test_whatever_is_damaged_raises_one_kind_of_error():
    data, chance = heic(), np.random.default_rng(7)
    for _ in range(300):
        damaged = bytearray(data)
        for place in chance.integers(12, len(data), 4):
            damaged[place] = chance.integers(256)
        with contextlib.suppress(ValueError):
            assert Image.from_bytes(bytes(damaged)).data.startswith(b"\xff\xd8\xff")


def test_a_picture_of_more_pixels_than_any_camera_has_is_not_decoded():
    data = heic()
    size = data.index(b"ispe") + 8
    data = data[:size] + (16_000).to_bytes(4) + (16_000).to_bytes(4) + data[size + 8 :]
    with pytest.raises(ValueError, match=r"16000×16000 pixels"):
        Image.from_bytes(data, name="a.heic")


@pytest.mark.parametrize(
    ("brands", "expected"),
    [
        (b"heic\0\0\0\0mif1heic", True),
        (b"mif1\0\0\0\0mif1heicmiaf", True),
        (b"msf1\0\0\0\0msf1hevc", True),
        (b"avif\0\0\0\0avifmif1miaf", False),
        (b"mif1\0\0\0\0mif1avif", False),
        (b"mp42\0\0\0\0isommp42", False),
    ],
)
def test_heic_is_known_by_its_brands(brands, expected):
    data = (len(brands) + 8).to_bytes(4) + b"ftyp" + brands + b"meta"
    assert is_heic(data) is expected


def test_what_is_too_short_is_not_heic():
    for data in (b"", b"\0\0\0\x18ftyp", b"\xff\xd8\xff", b"BM"):
        assert not is_heic(data)
