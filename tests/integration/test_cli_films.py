"""`facewire watch`: films as recorders and phones write them, whole and broken; who is in them is seen."""

import subprocess
from typing import Any

import cv2
import numpy as np
import pytest

import facewire
from facewire.video._av.source import AvSource
from harness.films import AV1, INTERLACED, blank, gray, write_film
from integration.command import command, environment, lines


@pytest.fixture(scope="session")
def portrait(astronaut):
    """(256, 256, 3) uint8 BGR: Eileen Collins of `people_gallery`."""
    return np.ascontiguousarray(astronaut[:256, 96:352, ::-1])


EMPTY = gray(128, (256, 256))


def named_visits(summary):
    return [each for each in summary["visits"] if each["identity_id"]]


def sightings(result):
    """From and to of all visits of people who have a name, seconds."""
    visits = named_visits(lines(result)[-1]["summary"])
    return [(round(each["from_s"], 2), round(each["to_s"], 2)) for each in visits]


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


@pytest.mark.parametrize("kind", ["interlaced", "av1", "ten bits"])
def test_who_is_in_a_film_is_seen_whatever_its_codec(run, people_gallery, portrait, tmp_path, kind):
    film, pictures = tmp_path / "film.mp4", [portrait] * 5
    if kind == "interlaced":
        write_film(film, pictures, options=INTERLACED)
    elif kind == "av1":
        write_film(film, pictures, codec=AV1)
    else:
        write_film(film, pictures, pix_fmt="yuv420p10le")
    result = run("watch", film, "-g", people_gallery, "--json")
    assert result.returncode == 0, result.stderr
    assert sightings(result) == [(0, 0.4)]
    assert lines(result)[-1]["summary"]["frame_count"] == 5


def test_a_picture_that_is_turned_within_a_film_is_not_stretched(
    run, people_gallery, astronaut, tmp_path
):
    wide = np.ascontiguousarray(astronaut[:256, :448, ::-1])
    tall = np.ascontiguousarray(astronaut[:448, 96:352, ::-1])
    parts = [write_film(tmp_path / "w.ts", [wide] * 4), write_film(tmp_path / "t.ts", [tall] * 4)]
    for order in (parts, parts[::-1]):
        film = tmp_path / "turned.ts"
        film.write_bytes(b"".join(part.read_bytes() for part in order))
        result = run("watch", film, "-g", people_gallery, "--json")
        assert result.returncode == 0, result.stderr
        assert sightings(result) == [(0, 0.7)]
        sizes = [
            (each["result"]["width_px"], each["result"]["height_px"])
            for each in lines(result)
            if "width_px" in each.get("result", ())
        ]
        expected = [(448, 256)] * 4 + [(256, 448)] * 4
        assert sizes == (expected if order is parts else expected[4:] + expected[:4])


def test_two_recordings_joined_end_to_end_are_one_film(run, people_gallery, portrait, tmp_path):
    film, out = tmp_path / "joined.ts", tmp_path / "seen.mp4"
    one = write_film(tmp_path / "one.ts", [EMPTY] * 50 + [portrait] * 30)
    two = write_film(tmp_path / "two.ts", [portrait] * 20)
    film.write_bytes(one.read_bytes() + two.read_bytes())
    result = run("watch", film, "-g", people_gallery, "--annotate", out)
    assert result.returncode == 0, result.stderr
    assert "0:05.0–0:09.9" in result.stdout
    assert frames_of(out) == 100


@pytest.mark.parametrize("form", [["--json"], []])
def test_a_film_that_is_cut_short_is_said_after_who_was_seen(
    run, people_gallery, portrait, tmp_path, form
):
    film = write_film(
        tmp_path / "film.mp4", [portrait] * 20,
        options={"g": "1"}, container_options={"movflags": "faststart"},
    )  # fmt: skip
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    out = tmp_path / "seen.csv"
    result = run("watch", film, "-g", people_gallery, "--csv", out, *form)
    assert result.returncode == 1
    assert "film.mp4: it ends after" in result.stderr
    assert "of 20 frames. Is it a whole copy?" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Eileen" in result.stdout
    assert "Eileen" in out.read_text()


def test_a_film_of_which_nothing_can_be_decoded_is_said(run, people_gallery, portrait, tmp_path):
    film = write_film(tmp_path / "film.mp4", [portrait] * 5)
    blank(film)
    result = run("watch", film, "-g", people_gallery)
    assert result.returncode == 1
    assert "film.mp4: no picture of it can be decoded (h264)." in result.stderr
    assert "0 frames recognized" in result.stderr


def test_without_pyav_the_command_says_what_to_install(server_address, film, tmp_path):

    (tmp_path / "av.py").write_text("raise ModuleNotFoundError(name='av')")
    before = environment(server_address)
    before["PYTHONPATH"] = f"{tmp_path}:{before['PYTHONPATH']}"
    result = subprocess.run(
        command(["watch", film]), env=before, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2
    assert "pip install 'WHEEL[video]'" in result.stderr
    assert "Traceback" not in result.stderr


# The films that other systems failed on. Skipped without the folder that holds them.


@pytest.fixture(scope="session")
def cases(shared):
    folder = shared.parent / "cases" / "pictures"
    if not folder.is_dir():
        pytest.skip("needs the cases beside the lent pictures; there are none")
    return folder


@pytest.fixture(scope="session")
def case_gallery(server, cases):
    with facewire.Client(server.address) as client:
        gallery = client.create_gallery("cases-of-films").gallery_id
        client.enroll("eileen", [(cases / "plain.jpg").read_bytes()], gallery=gallery)
    return gallery


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "frame_count", "last_s", "said"),
    [
        ("film_progressive.mp4", 50, 1.96, ""),
        ("film_interlaced.mp4", 50, 1.96, ""),
        ("film_av1.mp4", 25, 0.96, ""),
        ("film_cut_in_half.mp4", 15, 0.56, "of 50 frames. Is it a whole copy?"),
    ],
)
def test_the_films_of_the_cases_are_seen(run, cases, case_gallery, name, frame_count, last_s, said):
    result = run("watch", cases / name, "-g", case_gallery, "--json")
    assert result.returncode == bool(said), result.stderr
    assert said in result.stderr
    (seen,) = named_visits(lines(result)[-1]["summary"])
    if said:  # how many frames come out of the last packets is up to the decoder's version
        frame_count, last_s = seen["frame_count"], (seen["frame_count"] - 1) / 25
        assert 14 <= frame_count <= 17
    assert seen["frame_count"] == frame_count
    assert (seen["from_s"], seen["to_s"]) == (0, pytest.approx(last_s))


@pytest.fixture(scope="session")
def woman(shared):
    """Ten pictures a second of three seconds of a clip, (360, 640, 3) uint8 BGR."""
    clip = shared / "video" / "woman_720p.mp4"
    if not clip.is_file():
        pytest.skip("needs the lent clips; there are none")
    return pictures_of(clip, 30)


def pictures_of(clip, count):
    source = AvSource(str(clip))
    taken: list[Any] = []
    while len(taken) < count and (shot := source.read()) is not None:
        if shot.at_s >= len(taken) / 10 - 1e-3:
            taken.append(cv2.resize(shot.bgr(), (640, 360), interpolation=cv2.INTER_AREA))
    source.close()
    return taken


@pytest.fixture(scope="session")
def woman_gallery(server, woman):
    with facewire.Client(server.address) as client:
        gallery = client.create_gallery("case-of-a-clip").gallery_id
        png = cv2.imencode(".png", woman[0])[1].tobytes()
        client.enroll("person-a", [png], gallery=gallery)
    return gallery


def summary_of(result):
    assert result.returncode == 0, result.stderr
    return lines(result)[-1]["summary"]


@pytest.mark.shared
def test_case_03_an_interlaced_person_is_seen_and_no_other_film_is_seen_again(
    run, woman, woman_gallery, shared, tmp_path
):
    whole = write_film(tmp_path / "progressive.mp4", woman)
    person = write_film(tmp_path / "interlaced-person.mp4", woman, options=INTERLACED)
    street = pictures_of(shared / "video" / "street_1080p.mp4", 10)
    other = write_film(tmp_path / "interlaced.mp4", street, options=INTERLACED)
    seen = {
        film.name: summary_of(run("watch", film, "-g", woman_gallery, "--json"))
        for film in (whole, person, other)
    }
    for name in ("progressive.mp4", "interlaced-person.mp4"):
        (visit,) = named_visits(seen[name])
        assert (visit["identity_id"], visit["frame_count"]) == ("person-a", 30)
    assert named_visits(seen["interlaced.mp4"]) == []
    assert seen["interlaced.mp4"]["unrecognized_count"] > 0


@pytest.mark.shared
def test_case_04_a_person_is_seen_in_both_sizes(run, woman, woman_gallery, tmp_path):
    tall = [
        cv2.resize(picture[:, 219:421], (360, 640), interpolation=cv2.INTER_CUBIC)
        for picture in woman[:10]
    ]
    wide_film = write_film(tmp_path / "wide.ts", woman[:10]).read_bytes()
    tall_film = write_film(tmp_path / "tall.ts", tall).read_bytes()
    (tmp_path / "wide-then-tall.ts").write_bytes(wide_film + tall_film)
    (tmp_path / "tall-then-wide.ts").write_bytes(tall_film + wide_film)
    counts = {
        name: sum(
            visit["frame_count"]
            for visit in named_visits(
                summary_of(run("watch", tmp_path / name, "-g", woman_gallery, "--json"))
            )
        )
        for name in ("wide.ts", "tall.ts", "wide-then-tall.ts", "tall-then-wide.ts")
    }
    both = counts["wide.ts"] + counts["tall.ts"]
    assert counts["wide-then-tall.ts"] == counts["tall-then-wide.ts"] == both == 20


@pytest.mark.shared
def test_case_05_the_time_of_joined_recordings_goes_on(run, woman, woman_gallery, tmp_path):
    nothing = np.full_like(woman[0], 128)
    one = write_film(tmp_path / "one.ts", [nothing] * 50 + woman).read_bytes()
    two = write_film(tmp_path / "two.ts", woman[:20]).read_bytes()
    (tmp_path / "joined.ts").write_bytes(one + two)
    out = tmp_path / "seen.mp4"
    result = run("watch", tmp_path / "joined.ts", "-g", woman_gallery, "--annotate", out)
    assert result.returncode == 0, result.stderr
    assert "0:05.0–0:09.9" in result.stdout
    assert frames_of(out) == 100
