"""What is painted lies where the face is, and can be read."""

import dataclasses

import cv2
import numpy as np
import pytest

import facewire
from facewire._wire.read_faces import read_face
from facewire.v1 import face_pb2
from facewire.video import annotate
from fakes.layouts import layouts

GREEN, WHITE = (40, 167, 69), (255, 255, 255)


def face(x, y, side, name="", similarity=0.5, threshold=0.0):
    message = face_pb2.Face(box=face_pb2.Box(x_px=x, y_px=y, width_px=side, height_px=side))
    message.decision.outcome = face_pb2.OUTCOME_KNOWN if name else face_pb2.OUTCOME_UNKNOWN
    message.decision.display_name = name
    message.decision.similarity = similarity
    message.decision.threshold = threshold
    return read_face(message)


@pytest.fixture
def gray():
    return np.full((400, 600, 3), 90, np.uint8)


def changed(before, after):
    return np.any(before != after, axis=2)


def test_a_box_is_painted_around_the_face_and_nothing_into_it(gray):
    painted = annotate(gray, [face(200, 150, 100, "Ada")])
    assert not np.array_equal(painted[150, 200], gray[150, 200])
    assert np.array_equal(painted[160:240, 210:290], gray[160:240, 210:290])
    assert not changed(gray, annotate(gray, [])).any()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_picture_of_a_turned_camera_is_painted_upright(gray, degrees):
    faces = [face(200, 150, 100, "Ada")]
    hanging = np.rot90(gray, degrees // 90)
    assert np.array_equal(annotate(hanging, faces, rotation_degrees=degrees), annotate(gray, faces))


def test_the_picture_given_is_left_as_it_is(gray):
    before = gray.copy()
    annotate(gray, [face(200, 150, 100, "Ada")])
    assert np.array_equal(gray, before)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (500, 0), (0, 300), (500, 300), (-50, -50)])
def test_a_label_stays_within_the_picture(gray, x, y):
    """Its colored plate is as large in every corner as in the middle."""

    def plate(painted):
        return np.all(painted == (40, 167, 69), axis=2).sum()

    middle = plate(annotate(gray, [face(250, 150, 100, "Somebody Long")]))
    assert plate(annotate(gray, [face(x, y, 100, "Somebody Long")])) > 0.8 * middle


def test_labels_keep_off_each_other(gray):
    alone = [face(200, 150, 80, "Ada Lovelace"), face(230, 152, 80, "Grace Hopper")]
    plates = [np.all(annotate(gray, [each]) == (40, 167, 69), axis=2).sum() for each in alone]
    both = np.all(annotate(gray, alone) == (40, 167, 69), axis=2).sum()
    assert both > 0.9 * sum(plates)


def bar_of(painted):
    """The columns of the threshold's line, from the left end of the bar, in lengths of the bar; and how much of it is full."""
    plate = np.argwhere(np.all(painted == GREEN, axis=2))
    line = np.argwhere(np.all(painted == WHITE, axis=2))
    (top, _), (bottom, _) = line.min(axis=0), line.max(axis=0)
    row = painted[(top + bottom) // 2]
    dark = np.flatnonzero(np.all(row == (20, 20, 20), axis=1))
    dark = dark[(dark > plate[:, 1].min()) & (dark < plate[:, 1].max())]
    left, length = dark.min(), dark.max() - dark.min()
    threshold = (line[:, 1].mean() - left) / length
    return threshold, (dark.size + 2) / length


@pytest.mark.parametrize(("similarity", "threshold"), [(0.8, 0.4), (0.5, 0.9), (1.0, 0.25)])
def test_a_reason_has_a_bar_of_the_similarity_and_the_threshold(gray, similarity, threshold):
    known = face(50, 150, 200, "Ada", similarity, threshold)
    painted = annotate(gray, [known], reasons=["as similar as it is, the threshold is what it is"])
    line, full = bar_of(painted)
    assert line == pytest.approx(threshold, abs=0.02)
    assert full == pytest.approx(similarity, abs=0.03)


def test_a_reason_is_painted_beside_the_name_of_its_face(gray):
    small, large = face(20, 250, 60, "Bo", 0.5, 0.4), face(300, 150, 200, "Ada", 0.5, 0.4)
    painted = annotate(gray, [small, large], reasons=["", "a reason"])
    line = np.argwhere(np.all(painted == WHITE, axis=2))
    assert line.size
    assert line[:, 1].min() >= 300
    with pytest.raises(ValueError, match="shorter"):
        annotate(gray, [small, large], reasons=["one"])


def test_a_face_that_was_not_compared_has_a_reason_and_no_bar(gray):
    message = face_pb2.Face(box=face_pb2.Box(x_px=200, y_px=150, width_px=90, height_px=90))
    message.decision.outcome = face_pb2.OUTCOME_TOO_POOR
    message.decision.threshold = 0.4
    poor = read_face(message)
    painted = annotate(gray, [poor], reasons=["too small"])
    assert not np.all(painted == WHITE, axis=2).any()
    assert changed(painted, annotate(gray, [poor])).any()


def test_every_kind_of_picture_can_be_painted_on(gray, tmp_path):
    png = cv2.imencode(".png", gray[:, :, ::-1])[1].tobytes()
    (tmp_path / "a.png").write_bytes(png)
    luma = np.concatenate([np.full((400, 600), 94, np.uint8), np.full((200, 600), 128, np.uint8)])
    raw = {"width_px": 600, "height_px": 400}
    kinds = [
        png,
        tmp_path / "a.png",
        gray[:, :, 0],
        facewire.Image.from_array(gray, bgr=True),
        facewire.Image(luma.tobytes(), facewire.ImageFormat.NV12, **raw),
        facewire.Image(
            np.pad(gray, ((0, 0), (0, 4), (0, 0))).tobytes(),
            facewire.ImageFormat.RGB8, stride_bytes=604 * 3, **raw,
        ),
    ]  # fmt: skip
    expected = annotate(gray, [face(200, 150, 100, "Ada")])
    for picture in kinds:
        painted = annotate(picture, [face(200, 150, 100, "Ada")])
        assert np.abs(painted.astype(int) - expected).max() <= 2


def test_every_raw_layout_can_be_painted_on():
    y, x = np.mgrid[0:96, 0:160]
    scene = np.stack([x * 255 // 159, y * 255 // 95, (x + y) * 255 // 254], -1).astype(np.uint8)
    for kind, picture in layouts(scene).items():
        painted = annotate(picture, [])
        assert painted.shape == scene.shape, kind
        assert np.abs(painted.astype(int) - scene).mean() < 4, kind
        cut = dataclasses.replace(picture, data=picture.data[: len(picture.data) // 2])
        with pytest.raises(ValueError, match="fewer bytes"):
            annotate(cut, [])


@pytest.mark.parametrize(
    "bad", [b"text", b"", facewire.Image(b"x", facewire.ImageFormat.RGB8, 9, 9)]
)
def test_what_cannot_be_decoded_is_an_error(bad):
    with pytest.raises(ValueError, match="picture"):
        annotate(bad, [])
