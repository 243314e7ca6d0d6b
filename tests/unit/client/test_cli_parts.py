"""Parts of the command line: whose pictures a folder holds, what is counted, interrupts."""

import errno
import signal
import threading
import unicodedata

import pytest

from facewire import Client, ErrorReason, NoFaceError, ThresholdSource, UnavailableError
from facewire._wire.read_results import read_frame_result, read_frames_skipped
from facewire.cli._advice import system_text
from facewire.cli._folder import people_of
from facewire.cli._interrupts import closed_by_ctrl_c
from facewire.cli._output import counted, threshold_text, visible
from facewire.cli._session import text_of
from facewire.cli._tally import Tally
from facewire.cli._visits import clock
from facewire.v1 import face_pb2, recognition_pb2


@pytest.fixture
def ctrl_c():
    """Presses it; tests that run in the background have it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def closed():
    """A client and an event, of which the first Ctrl-C closes and sets."""
    interrupted = threading.Event()
    with Client("127.0.0.1:1") as client, closed_by_ctrl_c(client, interrupted):
        yield client, interrupted


def test_the_first_ctrl_c_raises_nothing_and_closes_the_client(ctrl_c, closed):
    client, interrupted = closed
    ctrl_c()
    assert interrupted.wait(10)
    with pytest.raises(ValueError, match="closed"):
        client.gallery()


def test_the_second_ctrl_c_is_pythons_own(ctrl_c, closed):
    ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        ctrl_c()


def test_a_ctrl_c_that_falls_into_a_destructor_is_not_lost(ctrl_c, closed):
    class Doomed:
        def __del__(self):
            ctrl_c()

    Doomed()
    assert closed[1].wait(10)


def test_ctrl_c_stays_off_where_it_was_off(ctrl_c):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupted = threading.Event()
    with Client("127.0.0.1:1") as client, closed_by_ctrl_c(client, interrupted):
        ctrl_c()
    assert not interrupted.is_set()


def test_one_is_not_a_plural():
    assert [counted(number, "template") for number in (0, 1, 2)] == [
        "0 templates", "1 template", "2 templates"
    ]  # fmt: skip
    assert [counted(number, "person", "people") for number in (1, 3)] == ["1 person", "3 people"]


def test_a_name_does_not_command_the_terminal():
    assert visible("Ada\x1b[2J\n\u202e\x9b") == "Ada\\x1b[2J\\n\\u202e\\x9b"
    for name in ("Zoë Müller-Ødegård", "علی\u200cرضا", "山田\u3000太郎"):
        assert visible(name) == name


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
    assert found.without_picture == []
    assert found.picture_count == 6


@pytest.mark.parametrize(
    "name", ["1.jfif", "1.JPE", "1.mpo", "1.gif", "1.AVIF", "IMG_0001.HEIC", "1.heif", "1.Jpg"]
)
def test_pictures_have_many_endings_in_any_case(tmp_path, name):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / name).touch()
    found = people_of(tmp_path)
    assert (found.picture_count, found.ignored, found.without_picture) == (1, [], [])


def test_people_in_whose_folders_no_picture_lies_are_found(tmp_path):
    for name in ("ada/1.jpg", "bo/scan.tif", "cy/deeper/raw.dng", ".git/config", "list.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / unicodedata.normalize("NFD", "Zoë")).mkdir()
    found = people_of(tmp_path)
    assert found.without_picture == [unicodedata.normalize("NFC", "Zoë"), "bo", "cy"]
    assert [path.name for path in found.ignored] == ["scan.tif", "raw.dng", "list.txt"]


def test_a_name_is_the_same_on_every_file_system(tmp_path):
    (tmp_path / unicodedata.normalize("NFD", "Zoë")).mkdir()
    (tmp_path / unicodedata.normalize("NFD", "Zoë") / "1.jpg").touch()
    assert people_of(tmp_path).people[0].identity_id == unicodedata.normalize("NFC", "Zoë")


def test_links_are_followed_and_one_without_an_end_is_not(tmp_path):
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "1.jpg").touch()
    people = tmp_path / "people"
    people.mkdir()
    (people / "Ada").symlink_to(tmp_path / "album")
    (tmp_path / "album" / "again").symlink_to(people)
    (ada,) = people_of(people).people
    assert (ada.identity_id, [path.name for path in ada.pictures]) == ("Ada", ["1.jpg"])


def test_advice_is_given_in_the_words_of_the_command_line():
    small = NoFaceError(
        "No face.", reason=ErrorReason.NO_FACE, advice="Use DetectionOptions.min_face_px."
    )
    assert text_of(small) == "No face. Small faces are found with a smaller --min-face-px."
    assert text_of(UnavailableError("Away.", advice="Try again.")) == "Away. Try again."


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError("Ours, a sentence."), "Ours, a sentence."),
        (OSError(errno.ENOENT, "No such file", "a"), "a: No such file"),
        (
            OSError(errno.ENOSPC, "Full", "a"),
            "a: Full. Free some room on its disk, then try again.",
        ),
        (
            OSError(errno.EROFS, "Read-only"),
            "Read-only. Make its disk writable, or name another place.",
        ),
    ],
)
def test_an_error_of_a_disk_names_the_file_the_cause_and_the_next_step(error, text):
    assert system_text(error) == text


def seen(at_s, *names, similarity=0.5, status=recognition_pb2.FRAME_STATUS_OK):
    result = recognition_pb2.FrameResult(status=status, captured_at_us=round(at_s * 1e6))
    for name in names:
        decision = result.faces.add().decision
        if name:
            decision.outcome = face_pb2.OUTCOME_KNOWN
            decision.identity_id = decision.display_name = name
            decision.similarity = similarity
        else:
            decision.outcome = face_pb2.OUTCOME_UNKNOWN
    return read_frame_result(result)


@pytest.mark.parametrize("status", ["INVALID", "UNAVAILABLE", "TIMED_OUT"])
def test_every_frame_that_is_not_ok_has_failed(status):
    tally = Tally()
    tally.add(seen(0.0, status=recognition_pb2.FrameStatus.Value(f"FRAME_STATUS_{status}")))
    assert (tally.frame_count, tally.failed_count) == (0, 1)


def test_a_tally_accounts_for_every_frame_and_face():
    tally = Tally()
    tally.add(seen(0, "ada", "", "bo"))
    tally.add(seen(1, status=recognition_pb2.FRAME_STATUS_TIMED_OUT))
    skipped = recognition_pb2.FramesSkipped(first_sequence=3, last_sequence=9, frame_count=4)
    tally.add(read_frames_skipped(skipped))
    assert (tally.frame_count, tally.failed_count) == (1, 1)
    assert (tally.skipped_count, tally.unrecognized_count) == (4, 1)


def ambiguous(*identities):
    result = recognition_pb2.FrameResult(status=recognition_pb2.FRAME_STATUS_OK)
    decision = result.faces.add().decision
    decision.outcome = face_pb2.OUTCOME_AMBIGUOUS
    decision.threshold = 0.5
    decision.threshold_source = face_pb2.THRESHOLD_SOURCE_OPERATOR
    for identity_id, display_name in identities:
        decision.ambiguous_between.add(identity_id=identity_id, display_name=display_name)
    return read_frame_result(result)


def test_ambiguous_faces_are_counted_apart_and_by_the_two_people_in_either_order():
    tally = Tally()
    tally.add(seen(0.0, "ada", ""))
    for pair in (
        (("b", "Bo"), ("a", "Ada")),
        (("a", "Ada"), ("b", "Bo")),
        (("a", "A"), ("c", "A")),
    ):
        tally.add(ambiguous(*pair))
    tally.add(ambiguous())  # of a server that is too old to say between whom
    assert (tally.unrecognized_count, tally.ambiguous_count) == (1, 4)
    assert {key: (each.label, each.face_count) for key, each in tally.ambiguous.items()} == {
        "a or b": ("Ada or Bo?", 2),
        "a or c": ("A (a) or A (c)?", 1),
    }
    assert (tally.threshold, tally.threshold_source) == (0.5, ThresholdSource.OPERATOR)


def test_a_label_is_the_name_the_two_or_the_outcome():
    def label(result):
        return result.faces[0].label

    assert label(seen(0.0, "ada")) == "ada"
    assert label(seen(0.0, "")) == "unknown"
    assert label(ambiguous(("a", "Ada"), ("b", "Bo"))) == "Ada or Bo?"
    assert label(ambiguous()) == "ambiguous"


@pytest.mark.parametrize(
    ("threshold", "source", "text"),
    [
        (0.452, ThresholdSource.GALLERY_SIZE, "0.452 (by the size of the gallery)"),
        (0.5, ThresholdSource.OPERATOR, "0.500 (set by the operator)"),
        (0.5, ThresholdSource.REQUEST, "0.500 (set by the request)"),
        (0.42, ThresholdSource.UNSPECIFIED, "0.420"),
        (0.0, ThresholdSource.UNSPECIFIED, ""),
    ],
)
def test_a_threshold_says_who_chose_it(threshold, source, text):
    assert threshold_text(threshold, source) == text


@pytest.mark.parametrize(
    ("at_s", "text"), [(0, "0:00.0"), (59.99, "0:59.9"), (75.25, "1:15.2"), (3600, "60:00.0")]
)
def test_the_clock_never_shows_sixty_seconds(at_s, text):
    assert clock(at_s) == text
