"""Every film that FFmpeg decodes comes picture by picture, whole, upright and in its own size and time."""

import os
from typing import Any

import av
import cv2
import numpy as np
import pytest

import facewire
from facewire.video import Camera, SourceError
from harness.films import AV1, INTERLACED, blank, combs, gray, turned, woven, write_film


def pictures(camera):
    """The pictures of a camera, (height, width, 3) int BGR, and their times in seconds."""
    shown, times = [], []
    for frame in camera:
        bgr: Any = cv2.imdecode(np.frombuffer(frame.picture, np.uint8), cv2.IMREAD_COLOR)
        shown.append(bgr.astype(int))
        times.append(frame.captured_at_us / 1e6)
    return shown, times


def seen_in(path):
    with Camera(path) as camera:
        return pictures(camera)


def levels(shown):
    return [round(float(picture.mean())) for picture in shown]


def moving_bar(at_px):
    picture = gray(40)
    picture[:, at_px % 80 : at_px % 80 + 16] = 220
    return picture


def test_an_interlaced_film_is_seen_in_whole_pictures(tmp_path):
    fields = [woven(moving_bar(6 * n), moving_bar(6 * n + 3)) for n in range(20)]
    film = write_film(tmp_path / "dvr.mp4", fields, options=INTERLACED)
    shown, times = seen_in(film)
    assert times == [n / 10 for n in range(20)]
    assert all(combs(picture) < combs(field) / 5
               for picture, field in zip(shown, fields, strict=True))  # fmt: skip
    for number, picture in enumerate(shown):  # the bar is where it was in the earlier moment
        column = picture[:, :, 1].mean(axis=0)
        assert abs(np.flatnonzero(column > 130).mean() - (6 * number % 80 + 7.5)) < 2


def test_a_film_that_is_interlaced_in_part_loses_no_picture(tmp_path):
    film = tmp_path / "joined.ts"
    parts = [
        write_film(tmp_path / "one.ts", [gray(20 * n) for n in range(5)]),
        write_film(
            tmp_path / "two.ts", [gray(20 * n) for n in range(5, 10)], options=INTERLACED
        ),
        write_film(tmp_path / "three.ts", [gray(250, (64, 64))] * 3),
    ]  # fmt: skip
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    shown, times = seen_in(film)
    assert levels(shown) == pytest.approx([20 * n for n in range(10)] + [250] * 3, abs=4)
    assert times == pytest.approx([n / 10 for n in range(13)])


def test_an_av1_film_is_seen(tmp_path):
    film = write_film(tmp_path / "a.mp4", [gray(25 * n) for n in range(8)], codec=AV1)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER, "a test of real time stops all others"
    shown, times = seen_in(film)
    assert levels(shown) == pytest.approx([25 * n for n in range(8)], abs=4)
    assert times == [n / 10 for n in range(8)]


@pytest.mark.parametrize("first", [(96, 64), (64, 96)])
def test_every_picture_has_its_own_size(tmp_path, first):
    one = write_film(tmp_path / "one.ts", [gray(50, first)] * 4)
    two = write_film(tmp_path / "two.ts", [gray(200, first[::-1])] * 4)
    film = tmp_path / "turned.ts"
    film.write_bytes(one.read_bytes() + two.read_bytes())
    shown, _ = seen_in(film)
    assert [picture.shape[1::-1] for picture in shown] == [first] * 4 + [first[::-1]] * 4
    assert levels(shown) == pytest.approx([50] * 4 + [200] * 4, abs=4)


@pytest.mark.parametrize("options", [None, INTERLACED])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_film_is_upright_and_no_other_turn_is_asked_for(
    tmp_path, degrees, mirrored, options
):
    upright = gray(20)
    upright[:32, :48] = 230
    stored = np.rot90(upright, degrees // 90)
    stored = np.ascontiguousarray(stored[:, ::-1] if mirrored else stored)
    film = write_film(tmp_path / "phone.mp4", [stored] * 3, options=options)
    turned(film, degrees, mirrored=mirrored)
    with Camera(film) as camera:
        shown, _ = pictures(camera)
        assert camera.rotation_degrees == 0
    assert len(shown) == 3
    for picture in shown:
        assert picture.shape == upright.shape
        assert np.abs(picture - upright).mean() < 5


def test_colors_are_those_that_opencv_shows(tmp_path):
    chance = np.random.default_rng(0)
    scene: Any = cv2.resize(chance.integers(0, 255, (4, 6, 3), np.uint8), (192, 128))
    for pix_fmt in ("yuv420p", "yuvj420p", "yuv422p", "yuv420p10le"):
        film = write_film(tmp_path / "colors.mp4", [scene] * 2, pix_fmt=pix_fmt)
        with Camera(film, jpeg_quality=100) as camera:
            (ours, _), _ = pictures(camera)
        capture = cv2.VideoCapture(str(film))
        _, theirs = capture.read()
        capture.release()
        assert np.abs(ours - theirs).mean() < 2, pix_fmt
        assert np.abs(ours - scene).mean() < 8, pix_fmt


def test_the_time_of_joined_recordings_goes_on(tmp_path):
    one = write_film(tmp_path / "one.ts", [gray(50)] * 80)
    two = write_film(tmp_path / "two.ts", [gray(200)] * 20)  # its clock starts again
    later = write_film(tmp_path / "later.ts", [gray(99)] * 10, stamp=lambda n: n + 50_000)
    film = tmp_path / "joined.ts"
    film.write_bytes(one.read_bytes() + two.read_bytes() + later.read_bytes())
    _, times = seen_in(film)
    assert times == pytest.approx([n / 10 for n in range(110)])


def test_a_film_shows_a_scene_at_rest_as_long_as_its_header_says(tmp_path):
    film = write_film(tmp_path / "rest.mp4", [gray(9)] * 3, stamp=lambda n: [0, 1, 400][n])
    _, times = seen_in(film)
    assert times == [0, 0.1, 40]


@pytest.mark.parametrize("suffix", ["h264", "mjpeg"])
def test_a_film_without_time_stamps_counts_its_pictures(tmp_path, suffix):
    codec, pix_fmt = ("libx264", "yuv420p") if suffix == "h264" else ("mjpeg", "yuvj420p")
    film = write_film(
        tmp_path / f"raw.{suffix}", [gray(20 * n) for n in range(10)], codec=codec, pix_fmt=pix_fmt
    )
    with Camera(film) as camera:
        fps = camera.fps
        shown, times = pictures(camera)
    assert levels(shown) == pytest.approx([20 * n for n in range(10)], abs=4)
    assert times == pytest.approx([n / fps for n in range(10)])
    assert fps == (10 if suffix == "h264" else 25)


def test_pictures_that_come_in_another_order_than_they_are_shown_are_put_right(tmp_path):
    for name, codec, options in [
        ("b.mp4", "libx264", {"bf": "2", "preset": "medium"}),
        ("b.avi", "mpeg4", {"bf": "2"}),  # which has no times to show a picture at
    ]:
        darker = [gray(250 - 5 * n) for n in range(50)]
        film = write_film(tmp_path / name, darker, codec=codec, options=options)
        shown, times = seen_in(film)
        assert len(shown) == 50
        assert levels(shown) == sorted(levels(shown), reverse=True)
        assert times == pytest.approx([n / 10 for n in range(50)], abs=0.25)
        assert times == sorted(times)


# What cannot be read, or not to its end


def cut(path, fraction):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    return path


def textured(count):
    chance = np.random.default_rng(0)
    return [chance.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(count)]


MP4 = {"a.mp4": "faststart", "fragments.mp4": "frag_keyframe+empty_moov"}
"""How an MP4 film is written."""


@pytest.mark.parametrize(
    ("name", "codec", "said"),
    [
        ("a.mp4", "libx264", r"it ends after \d+ of 50 frames"),
        ("a.avi", "mjpeg", r"it ends after \d+ of 50 frames"),
        ("a.mkv", "libx264", r"it ends after \d\.\d of 5\.0 s"),
        ("a.flv", "libx264", r"it ends after \d\.\d of 5\.[0-2] s"),
        ("fragments.mp4", "libx264", r"it ends after \d\.\d of \d\.\d s"),
        ("a.mxf", "mpeg2video", r"it ends after \d\.\d of 2\.0 s"),
    ],
)
def test_a_film_that_is_cut_short_is_an_error_after_its_last_frame(tmp_path, name, codec, said):
    film = write_film(
        tmp_path / name, textured(50), codec=codec,
        options={"g": "10"} if codec == "libx264" else {},
        container_options={"movflags": MP4[name]} if name in MP4 else {},
        pix_fmt="yuvj420p" if codec == "mjpeg" else "yuv420p", fps=25 if codec == "mpeg2video" else 10,
    )  # fmt: skip
    whole, _ = seen_in(film)
    assert len(whole) == 50
    with Camera(cut(film, 0.5)) as camera:
        frames: list[facewire.Frame] = []
        with pytest.raises(SourceError, match=said):
            frames.extend(camera)
        assert list(camera) == []
    assert 10 < len(frames) < 40


def test_frames_that_an_edit_list_hides_are_not_missed(tmp_path):
    film = write_film(tmp_path / "a.mp4", textured(20), options={"g": "20"})
    data = bytearray(film.read_bytes())
    entry = data.index(b"elst") + 12  # duration, media time: from the tenth frame on
    data[entry + 4 : entry + 8] = (10 * 1024).to_bytes(4, "big")
    film.write_bytes(data)
    shown, times = seen_in(film)
    assert len(shown) == 10
    assert times[0] == 0


def test_a_film_without_one_picture_that_can_be_decoded_is_an_error(tmp_path):
    film = write_film(tmp_path / "a.mp4", textured(10))
    blank(film)
    with (
        Camera(film) as camera,
        pytest.raises(SourceError, match=r"no picture of it can be decoded \(h264\)"),
    ):
        list(camera)


def test_a_damaged_frame_costs_itself_and_is_said(tmp_path):
    film = write_film(tmp_path / "a.mp4", textured(10), codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(film.read_bytes())
    third = data.index(b"\xff\xd8", data.index(b"\xff\xd8", data.index(b"mdat") + 9) + 2)
    data[third : third + 600] = bytes(600)
    film.write_bytes(data)
    with Camera(film) as camera:
        frames: list[facewire.Frame] = []
        with pytest.raises(SourceError, match="of its 10 frames 9 can be decoded"):
            frames.extend(camera)
    assert len(frames) == 9


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    film = write_film(tmp_path / "a.mp4", textured(10))
    (tmp_path / "page.mp4").write_text("<html>not found</html>" * 99)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "unended.mp4").write_bytes(cut(film, 0.9).read_bytes())
    with av.open(str(tmp_path / "sound.wav"), "w") as sound:
        stream = sound.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), layout="mono")
        frame.sample_rate = 8000
        sound.mux(stream.encode(frame))
    unknown = write_film(
        tmp_path / "unknown.avi", textured(3), codec="mjpeg", pix_fmt="yuvj420p"
    ).read_bytes()
    (tmp_path / "unknown.avi").write_bytes(unknown.replace(b"MJPG", b"Zz9Q"))
    for name, said in {
        "none.mp4": "No such file or directory",
        ".": "Is a directory",
        "page.mp4": "it is not a film that can be read",
        "empty.mp4": "it is not a film that can be read",
        "unended.mp4": "an MP4 film without its index",
        "sound.wav": "there are no moving pictures in it",
        "unknown.avi": r"no decoder for its pictures",
    }.items():
        with pytest.raises(SourceError, match=said) as caught:
            Camera(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name).rstrip("/."))
        assert not caught.value.temporary
    if os.geteuid():  # root reads everything
        film.chmod(0)
        with pytest.raises(SourceError, match="Permission denied"):
            Camera(film)
