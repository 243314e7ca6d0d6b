"""Aligned crops put the landmarks where the embedding model expects them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.pipeline.align import align, similarity_transform
from facewire_server.types import Faces

TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)


def faces_at(landmarks: np.ndarray) -> Faces:
    count = len(landmarks)
    return Faces(
        np.zeros((count, 4), np.float32),
        np.ones(count, np.float32),
        landmarks.astype(np.float32),
    )


@given(
    angle=st.floats(-np.pi, np.pi),
    scale=st.floats(0.05, 40),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_the_transform_undoes_any_similarity(
    angle: float, scale: float, x: float, y: float
) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = similarity_transform(TEMPLATE @ turn.T + (x, y))
    undone = (TEMPLATE @ turn.T + (x, y)) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(undone, TEMPLATE, atol=1e-6)


def test_the_transform_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        points = TEMPLATE * rng.uniform(0.5, 5) + rng.normal(0, 4, (5, 2))
        # The same problem as a linear system in (a, b, tx, ty), solved by numpy.
        rows = []
        for x, y in points:
            rows += [(x, -y, 1, 0), (y, x, 0, 1)]
        a, b, tx, ty = np.linalg.lstsq(np.array(rows), TEMPLATE.ravel(), rcond=None)[0]
        np.testing.assert_allclose(
            similarity_transform(points), [[a, -b, tx], [b, a, ty]], atol=1e-9
        )


def test_five_equal_landmarks_do_no_harm() -> None:
    crops = align(np.zeros((50, 50, 3), np.uint8), faces_at(np.full((1, 5, 2), 20.0)))
    assert crops.shape == (1, 112, 112, 3)


def test_no_face_gives_no_crop() -> None:
    crops = align(np.zeros((50, 50, 3), np.uint8), faces_at(np.zeros((0, 5, 2))))
    assert crops.shape == (0, 112, 112, 3)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 2.0, 3.5, 8.0])
def test_a_face_of_any_size_gives_the_same_crop(scale: float) -> None:
    """A smooth picture, so that what differs is geometry alone: half a pixel would show."""
    y, x = np.mgrid[0:112, 0:112]
    crop = np.stack([x * 2, y * 2, 255 - x - y], -1).astype(np.uint8)
    side = round(112 * scale)
    picture = cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    picture = np.pad(picture, ((30, 10), (20, 40), (0, 0)), mode="edge")
    # OpenCV's resize maps pixel centers: x -> (x + .5) * scale - .5.
    landmarks = (TEMPLATE + 0.5) * (side / 112) - 0.5 + (20, 30)
    again = align(picture, faces_at(landmarks[None]))[0]
    inner = slice(8, -8)
    apart = np.abs(again[inner, inner].astype(int) - crop[inner, inner])
    assert apart.mean() < 0.1
    assert apart.max() <= 1


def test_a_large_face_is_averaged_not_sampled() -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (1792, 1792, 3), dtype=np.uint8)
    crop = align(noise, faces_at((TEMPLATE * 16)[None]))[0]
    assert crop[20:-20, 20:-20].std() < 15  # a bilinear sample of noise would keep about 50


def test_what_lies_outside_the_picture_is_black() -> None:
    white = np.full((112, 112, 3), 255, np.uint8)
    crop = align(white, faces_at((TEMPLATE - (56, 0))[None]))[0]
    assert crop[:, :50].max() == 0
    assert crop[:, 60:].min() == 255


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize("shift", [(-9, 0), (9, 0), (0, -9), (0, 9), (-9, 9)])
def test_a_face_beside_the_picture_is_a_black_crop(scale: int, shift: tuple[int, int]) -> None:
    """A detector may report one; it must not end a stream."""
    white = np.full((112 * scale, 112 * scale, 3), 255, np.uint8)
    landmarks = (TEMPLATE + np.multiply(shift, 112)) * scale
    assert align(white, faces_at(landmarks[None])).max() == 0


@pytest.mark.parametrize("shape", [(1, 400, 3), (400, 1, 3), (1, 1, 3)])
def test_a_large_face_in_a_thin_picture_is_cut_all_the_same(shape: tuple[int, ...]) -> None:
    white = np.full(shape, 255, np.uint8)
    assert align(white, faces_at((TEMPLATE * 4)[None])).shape == (1, 112, 112, 3)


@pytest.mark.parametrize("scale", [1, 4])
def test_a_face_at_the_edge_keeps_what_is_within_the_picture(scale: int) -> None:
    white = np.full((112 * scale, 112 * scale, 3), 255, np.uint8)
    for shift, inside in (
        ((56, 0), np.s_[2:-2, 2:52]),
        ((-56, 0), np.s_[2:-2, 60:-2]),
        ((0, 56), np.s_[2:52, 2:-2]),
        ((0, -56), np.s_[60:-2, 2:-2]),
    ):
        # A face shifted to the right has the picture on the left of its crop. At the picture's own
        # edges a sample may mix in what lies outside.
        crop = align(white, faces_at(((TEMPLATE + shift) * scale)[None]))[0]
        assert crop[inside].min() == 255
        assert (crop == 0).all(-1).mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("scale", [0.7, 1.3, 4.0])
def test_a_dark_face_is_brightened_before_it_is_interpolated(scale: float) -> None:
    """What lies between two of its few levels is kept: brightened afterwards, the crop has gaps of 10 levels."""
    ramp = np.linspace(2, 12, 600)[None, :, None]
    levels = np.broadcast_to(ramp + np.linspace(0, 8, 600)[:, None, None], (600, 600, 3))
    image = np.round(levels).astype(np.uint8)
    faces = faces_at(np.stack([TEMPLATE * scale + 20]))
    plain, lit = align(image, faces)[0], align(image, faces, [10.0])[0]
    np.testing.assert_allclose(lit, plain.astype(float) * 10, atol=11)
    assert len(np.unique(lit)) > len(np.unique(plain)) * 2


def test_a_factor_of_one_changes_no_bit() -> None:
    image = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    faces = faces_at(np.stack([TEMPLATE * 1.3 + 20, TEMPLATE * 0.9 + 50]))
    both = align(image, faces, [1.0, 4.0])
    np.testing.assert_array_equal(both[0], align(image, faces)[0])
    assert both[1].mean() > align(image, faces)[1].mean()
