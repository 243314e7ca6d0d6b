"""People in real clips at one false name in a thousand looks: named while they are enrolled, and not after they are left out.

The clips of `bench.visits` are streamed to a real server with `max_fpir` .001, before two galleries: people of LFW with the people of the clips, and the same
people of LFW without them. A visit is right if it has no name but its own at any time, and has that one if the face is plain to see: one that is hard to see counts with no
name, and so does a stranger. A person whose face is never found is no visit. In the second gallery
everyone is a stranger, and no face may have a name. Signers look from clips that they were not enrolled from; all others are those that a person watched (`bench.watched_people`).
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import grpc

from bench.report import Report, parser, progress, run
from bench.visits import clip_fps, person_at
from bench.watched_people import HAMILTON, STREET, Seen
from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc
from harness import pictures
from harness.running import running_server
from harness.tracked import TrackedStream

__all__: list[str] = []

_MAX_FPIR: Final = 0.001
"""One false name in a thousand looks at people who are not enrolled: what the aim names."""

_TIMEOUT_S: Final = 60.0
"""Seconds that a call may take. Chosen, not measured: a busy machine must not end the measurement."""

_ENROLLED_FRAMES: Final = 10
"""Frames of a clip that its person is enrolled from. Chosen, not measured."""

_WITH: Final = "enrolled"
_WITHOUT: Final = "left-out"


class Clip(NamedTuple):
    """A clip: its frames, how many of them are a second, and who is seen; or the one signer."""

    name: str
    frames: list[bytes]
    fps: float
    people: tuple[Seen, ...]
    signer: str = ""


def main() -> int:
    flags = parser("left_out", __doc__)
    flags.add_argument("--others", type=int, default=100, help="people of LFW in both galleries")
    flags.add_argument("--draws", type=int, default=1, help="parts of LFW, one after the other")
    arguments = flags.parse_args()
    folder = pictures.folder("video")
    report = Report("left_out", arguments)
    people = sorted(one for one in (pictures.folder("verify") / "lfw").iterdir() if one.is_dir())
    clips = list(_clips(folder))
    right, visits, plain, named, tracks = 0, 0, 0, 0, 0
    lines: list[tuple[str, ...]] = []
    with running_server(frame_timeout_s=_TIMEOUT_S) as server, server.channel() as channel:
        for draw in range(arguments.draws):
            others = people[draw :: max(1, len(people) // arguments.others)][: arguments.others]
            for gallery in (_WITH, _WITHOUT):
                _make(channel, f"{gallery}-{draw}", others)
            _enroll_people(channel, f"{_WITH}-{draw}", folder)
            for clip in progress(clips, "clips", len(clips)):
                names, _ = _streamed(channel, clip, f"{_WITH}-{draw}")
                for who, own, must_be in _expected(clip, names):
                    is_right = must_be <= set(names[who]) <= {"", own}
                    right, visits, plain = right + is_right, visits + 1, plain + bool(must_be)
                    lines.append((clip.name, who, "right" if is_right else _summary(names[who])))
                strangers, count = _streamed(channel, clip, f"{_WITHOUT}-{draw}")
                tracks += count
                for who, given in strangers.items():
                    if any(given):
                        named += 1
                        lines.append((clip.name, who, f"left out, and named: {_summary(given)}"))
    report.table("visits", ["clip", "who", "shown as"], lines)
    report.note(f"{plain} of {visits} visits are plain to see\n")
    report.note(f"{tracks} tracks of people who are left out\n")
    report.values |= {
        "right": right,
        "visits": visits,
        "plain": plain,
        "strangers_named": named,
        "tracks": tracks,
    }
    report.aim(
        "no visit with another name, and each plain one with its own",
        f"{right} of {visits}",
        met=right == visits,
    )
    report.aim("left out: people with a name", f"{named} in {tracks} tracks", met=named == 0)
    return report.finish()


def _clips(folder: Path) -> Iterator[Clip]:
    for own in sorted((folder / "asl").iterdir()):
        for path in sorted(own.iterdir())[1:]:
            frames = list(pictures.video_frames(path))
            yield Clip(f"{own.name} {path.stem}", frames, clip_fps(path), (), own.name)
    for name, people in (("short_hamilton_clip.mp4", HAMILTON), ("street_1080p.mp4", STREET)):
        path = folder / name
        yield Clip(name, list(pictures.video_frames(path)), clip_fps(path), people)


def _expected(clip: Clip, names: dict[str, list[str]]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yields who was found, the name that may be shown ("" = none, of strangers), and the one that must be: of a face that is plain to see."""
    known = {seen.who: seen for seen in clip.people}
    for who in names:
        own = clip.signer or (known[who].identity_id if who in known else "")
        is_plain = bool(clip.signer) or (who in known and not known[who].how)
        yield who, own, frozenset({own} if own and is_plain else ())


def _streamed(channel: grpc.Channel, clip: Clip, gallery: str) -> tuple[dict[str, list[str]], int]:
    """Returns the names that each person's face has, frame by frame ("" = none), and the number of tracks."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    tracks = set()
    policy = face_pb2.DecisionPolicy(max_fpir=_MAX_FPIR)
    with TrackedStream(
        channel, gallery_id=gallery, camera_id=clip.name, decision_policy=policy
    ) as stream:
        for number, frame in enumerate(clip.frames):
            for face in stream.send(frame, number / clip.fps).faces:
                seen = person_at(clip.people, number, face)
                who = clip.signer or (seen.who if seen else "someone else")
                names[who].append(face.decision.identity_id)
                tracks.add(face.track_id)
    return names, len(tracks)


def _make(channel: grpc.Channel, gallery: str, others: list[Path]) -> None:
    gallery_pb2_grpc.GalleryServiceStub(channel).CreateGallery(
        gallery_pb2.CreateGalleryRequest(gallery_id=gallery), timeout=_TIMEOUT_S
    )
    for folder in others:
        picture = min(folder.glob("*.jpg")).read_bytes()
        _enroll(channel, gallery, folder.name, [picture], face_pb2.FACE_SELECTION_MOST_CENTRAL)


def _enroll_people(channel: grpc.Channel, gallery: str, folder: Path) -> None:
    largest = face_pb2.FACE_SELECTION_LARGEST
    for path in sorted((folder / "gallery").iterdir()):
        _enroll(channel, gallery, path.stem, [pictures.sendable(path)], largest)
    for own in sorted((folder / "asl").iterdir()):
        frames = list(pictures.video_frames(min(own.iterdir())))
        chosen = list(pictures.evenly(frames, _ENROLLED_FRAMES))
        _enroll(channel, gallery, own.name, chosen, largest)


def _enroll(
    channel: grpc.Channel,
    gallery: str,
    who: str,
    images: list[bytes],
    selection: face_pb2.FaceSelection,
) -> None:
    """Enrolls a person; a picture that the gate refuses makes no template."""
    gallery_pb2_grpc.GalleryServiceStub(channel).EnrollTemplates(
        gallery_pb2.EnrollTemplatesRequest(
            gallery_id=gallery,
            identity_id=who,
            images=[face_pb2.Image(data=data) for data in images],
            selection=selection,
            create_identity=True,
        ),
        timeout=_TIMEOUT_S,
    )


def _summary(names: list[str]) -> str:
    counts = {name or "no name": names.count(name) for name in dict.fromkeys(names)}
    return ", ".join(f"{name} {count}" for name, count in counts.items())


if __name__ == "__main__":
    run(main)
