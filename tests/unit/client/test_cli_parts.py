"""Parts of the command line: whose pictures a folder holds, stretches of time, interrupts."""

import unicodedata

import pytest

from facewire import FrameResult, FramesSkipped
from facewire.cli._folder import people_of
from facewire.cli._sightings import Sightings, clock
from facewire.v1 import face_pb2, recognition_pb2
from fakes.python import run_python

INTERRUPTED_IN_A_DESTRUCTOR = """
import signal, sys, time
from facewire import cli

class Doomed:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        time.sleep(0)

def app():
    Doomed()
    time.sleep(300)

sys.modules["facewire.cli._app"] = type(sys)("app")
sys.modules["facewire.cli._app"].app = app
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    cli.main()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_ctrl_c_that_falls_into_a_destructor_is_not_lost():
    ended = run_python(INTERRUPTED_IN_A_DESTRUCTOR)
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")


def test_sub_folders_and_file_names_are_people(tmp_path):
    for name in ("Ada/1.jpg", "Ada/x/2.JPEG", "Ada.webp", "Ada_02.png", "Bo_K_7.jpg", "_1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden.jpg").touch()
    found = people_of(tmp_path)
    assert {person.identity_id: len(person.pictures) for person in found.people} == {
        "Ada": 4, "Bo_K": 1, "_1": 1
    }  # fmt: skip
    assert [person.display_name for person in found.people] == ["Ada", "Bo K", "1"]
    assert [path.name for path in found.ignored] == ["notes.txt"]
    assert found.picture_count == 6


def test_a_name_is_the_same_on_every_file_system(tmp_path):
    (tmp_path / unicodedata.normalize("NFD", "Zoë")).mkdir()
    (tmp_path / unicodedata.normalize("NFD", "Zoë") / "1.jpg").touch()
    assert people_of(tmp_path).people[0].identity_id == unicodedata.normalize("NFC", "Zoë")


def seen(at_s, *names, status=recognition_pb2.FRAME_STATUS_OK):
    result = recognition_pb2.FrameResult(status=status, captured_at_us=round(at_s * 1e6))
    for name in names:
        decision = result.faces.add().decision
        if name:
            decision.outcome = face_pb2.OUTCOME_KNOWN
            decision.identity_id = decision.display_name = name
            decision.similarity = 0.5
        else:
            decision.outcome = face_pb2.OUTCOME_UNKNOWN
    return FrameResult.from_wire(result)


def test_sightings_close_short_gaps_and_keep_long_ones():
    sightings = Sightings()
    for at_s in (0.0, 1.0, 2.9, 5.0, 5.5):
        sightings.add(seen(at_s, "ada"))
    assert sightings.people["ada"].stretches_s == [(0.0, 2.9), (5.0, 5.5)]
    assert sightings.people["ada"].frame_count == 5


def test_sightings_account_for_every_frame_and_face():
    sightings = Sightings()
    sightings.add(seen(0, "ada", "", "bo"))
    sightings.add(seen(1, status=recognition_pb2.FRAME_STATUS_TIMED_OUT))
    skipped = recognition_pb2.FramesSkipped(first_sequence=3, last_sequence=9, frame_count=4)
    sightings.add(FramesSkipped.from_wire(skipped))
    assert list(sightings.people) == ["ada", "bo"]
    assert (sightings.frame_count, sightings.failed_count) == (1, 1)
    assert (sightings.skipped_count, sightings.unrecognised_count) == (4, 1)


@pytest.mark.parametrize(
    ("at_s", "text"), [(0, "0:00.0"), (59.99, "0:59.9"), (75.25, "1:15.2"), (3600, "60:00.0")]
)
def test_the_clock_never_shows_sixty_seconds(at_s, text):
    assert clock(at_s) == text
