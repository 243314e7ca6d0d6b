"""Whatever is a picture becomes the right message; whatever is none is refused."""

import array

import numpy as np
import pytest

from facewire import Image, ImageFormat
from facewire._values.pictures import as_pictures
from facewire._wire.enrollment import chunks, halves
from facewire._wire.write import image_message
from facewire.v1 import face_pb2
from fakes.pulled import copies

RGB = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)


@pytest.mark.parametrize(
    "picture", [b"jpeg", bytearray(b"jpeg"), memoryview(b"jpeg"), np.frombuffer(b"jpeg", np.uint8)]
)
def test_bytes_of_any_kind_are_an_encoded_file(picture):
    assert image_message(picture) == face_pb2.Image(data=b"jpeg")


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_path_is_read(tmp_path, kind):
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    assert image_message(kind(tmp_path / "a.jpg")) == face_pb2.Image(data=b"jpeg")
    with pytest.raises(FileNotFoundError):
        image_message(kind(tmp_path / "none.jpg"))


def test_an_array_is_rgb_and_says_its_size():
    expected = face_pb2.Image(
        data=RGB.tobytes(), format=face_pb2.IMAGE_FORMAT_RGB8, width_px=4, height_px=2
    )
    assert image_message(RGB) == expected


def test_a_gray_array_is_gray8():
    image = image_message(RGB[:, :, 0])
    assert (image.format, image.width_px, image.height_px) == (face_pb2.IMAGE_FORMAT_GRAY8, 4, 2)
    assert image.data == RGB[:, :, 0].tobytes()


@pytest.mark.parametrize("view", [RGB[:, :, ::-1], RGB[::2, ::2], np.asfortranarray(RGB)])
def test_an_array_need_not_be_contiguous(view):
    assert image_message(view).data == np.ascontiguousarray(view).tobytes()


def test_opencvs_order_is_said():
    assert Image.from_array(RGB, bgr=True).format is ImageFormat.BGR8


def test_a_fourth_channel_is_sent_in_opencvs_order_only():
    four = np.dstack([RGB, RGB[:, :, :1]])
    image = Image.from_array(four, bgr=True)
    assert (image.format, image.width_px, image.height_px) == (ImageFormat.BGRA8, 4, 2)
    assert image.data == four.tobytes()
    with pytest.raises(ValueError, match="with bgr=True"):
        Image.from_array(four)


LUMA = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6)
PAIRS = np.arange(2 * 6, dtype=np.uint8).reshape(2, 3, 2)


@pytest.mark.parametrize("layout", [ImageFormat.NV12, ImageFormat.NV21])
@pytest.mark.parametrize("chroma", [PAIRS, PAIRS.reshape(2, 6), np.pad(PAIRS, 1)[1:-1, 1:-1, 1:-1]])
def test_two_planes_become_one_picture(layout, chroma):
    image = Image.from_planes([LUMA, chroma], layout)
    assert (image.format, image.width_px, image.height_px) == (layout, 6, 4)
    assert image.data == LUMA.tobytes() + PAIRS.tobytes()


def test_three_planes_with_padding_become_one_picture_without():
    padded = np.pad(LUMA, ((0, 4), (0, 10)))
    image = Image.from_planes((padded[:4, :6], PAIRS[:, :, 0], PAIRS[:, :, 1]), ImageFormat.I420)
    assert (image.format, image.width_px, image.height_px) == (ImageFormat.I420, 6, 4)
    assert image.data == LUMA.tobytes() + PAIRS[:, :, 0].tobytes() + PAIRS[:, :, 1].tobytes()


@pytest.mark.parametrize(
    ("planes", "layout"),
    [
        ([], ImageFormat.I420),
        ([LUMA], ImageFormat.NV12),
        ([LUMA, PAIRS], ImageFormat.I420),
        ([LUMA, PAIRS], ImageFormat.RGB8),
        ([LUMA, PAIRS[:, :, 0], PAIRS[:, :, 1]], ImageFormat.NV12),
        ([LUMA, PAIRS[:1]], ImageFormat.NV12),
        ([LUMA.astype(np.uint16), PAIRS.astype(np.uint16)], ImageFormat.NV12),
        ([LUMA.ravel(), PAIRS], ImageFormat.NV12),
    ],
)
def test_planes_that_do_not_fit_are_refused(planes, layout):
    with pytest.raises(ValueError, match="these are not the planes of a picture"):
        Image.from_planes(planes, layout)


def test_strides_and_rows_of_a_drivers_buffer_are_sent():
    image = Image(b"x", ImageFormat.I420, 6, 4, 16, chroma_stride_bytes=8, plane_height_px=8)
    assert image_message(image) == face_pb2.Image(
        data=b"x",
        format=face_pb2.IMAGE_FORMAT_I420,
        width_px=6,
        height_px=4,
        stride_bytes=16,
        chroma_stride_bytes=8,
        plane_height_px=8,
    )


@pytest.mark.parametrize(
    "bad",
    [
        RGB.astype(np.float32),
        RGB.astype(np.int8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((1, 2, 2, 3), np.uint8),
    ],
)
def test_an_array_that_is_no_picture_is_refused(bad):
    with pytest.raises(ValueError, match="uint8 of shape"):
        image_message(bad)


@pytest.mark.parametrize("bad", [None, 3, ["a.jpg"]])
def test_what_is_no_picture_is_refused_by_its_type(bad):
    with pytest.raises(TypeError, match="a picture is"):
        image_message(bad)


def test_one_picture_is_not_taken_apart():
    for one in ("a.jpg", b"jpeg", RGB, Image(b"jpeg"), memoryview(b"jpeg")):
        (only,) = as_pictures(one)
        assert only is one
    assert as_pictures(["a.jpg"]) == ["a.jpg"]


def test_chunks_hold_ten_pictures_or_sixteen_mebibytes_and_lose_none():
    small = [bytes([number]) for number in range(23)]
    assert [len(chunk) for chunk in chunks(small)] == [10, 10, 3]
    assert [image.data for chunk in chunks(small) for image in chunk] == small
    mebibytes = [6, 6, 6, 20, 1, 15, 1]
    sizes = [
        [len(image.data) // 2**20 for image in chunk]
        for chunk in chunks(bytes(size * 2**20) for size in mebibytes)
    ]
    assert sizes == [[6, 6], [6], [20], [1, 15], [1]]
    assert list(chunks([])) == []


def test_chunks_read_no_further_than_they_must():
    pulled: list[int] = []
    stream = chunks(copies(b"x", 100, pulled))
    next(stream)
    assert len(pulled) == 11


def test_halves_lose_nothing():
    chunk = [face_pb2.Image(data=bytes([number])) for number in range(5)]
    first, second = halves(chunk)
    assert first + second == chunk
    assert len(first) == 2


def test_another_array_type_with_the_buffer_protocol_is_taken():
    assert image_message(array.array("B", b"jpeg")).data == b"jpeg"  # type: ignore[arg-type] # not promised
