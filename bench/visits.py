"""People in real clips, as tracks: names beside frame by frame, and visits beside what a person sees.

`video/asl`: signers are enrolled from one clip each and named in the others, frame by frame (`Recognize`) and as tracks, at 30, 10, 5 and
2 frames a second and with a third of the frames dropped at random. Then the two clips of many people that a person watched (`bench.watched_people`): the people
of the clips' gallery are enrolled, and the visits are listed beside who is seen; a wrong name is one that another person
has, or no person who is written down.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import grpc

from bench.report import Report, parser, progress, run
from bench.watched_people import HAMILTON, STREET, Seen, at
from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from facewire_server.evaluation.intervals import wilson
from harness import pictures
from harness.made_films import thinned
from harness.running import running_server
from harness.tracked import TrackedStream, names_without_retraction

__all__: list[str] = []

RATES: Final = ("30", "10", "5", "2", "30, a third dropped", "10, a third dropped")
"""Frames a second."""

_ENROLLED_FRAMES: Final = 10
_TIMEOUT_S: Final = 60.0
_ASL_FPS: Final = 30.0


@dataclass
class _Named:
    """Counts over the frames of the signers' clips."""

    with_face: int = 0
    right: int = 0
    wrong: int = 0


@dataclass
class _Visit:
    """The faces of one person in one clip."""

    frames: list[float] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    tracks: set[int] = field(default_factory=set)


def main() -> int:
    flags = parser("visits", __doc__)
    flags.add_argument("--seed", type=int, default=1, help="of the frames that are dropped")
    arguments = flags.parse_args()
    folder = pictures.folder("video")
    report = Report("visits", arguments)
    with running_server(frame_timeout_s=_TIMEOUT_S) as server, server.channel() as channel:
        _signers(report, channel, folder / "asl", arguments.seed)
        _enroll_gallery(channel, folder / "gallery")
        wrong = 0
        for name, people in (("short_hamilton_clip.mp4", HAMILTON), ("street_1080p.mp4", STREET)):
            frames = list(pictures.video_frames(folder / name))
            fps = clip_fps(folder / name)
            for rate in progress(RATES, name, len(RATES)):
                numbers = _kept(len(frames), fps, rate, arguments.seed)
                wrong += _watched(report, channel, name, people, frames, numbers, fps, rate)
    report.aim("Hamilton and street: wrong names", str(wrong), met=wrong == 0)
    return report.finish()


def clip_fps(path: Path) -> float:
    clip = cv2.VideoCapture(str(path))
    try:
        return float(clip.get(cv2.CAP_PROP_FPS))
    finally:
        clip.release()


def _kept(count: int, fps: float, rate: str, seed: int) -> list[int]:
    """Returns the numbers of the frames at a rate, which is not above the clip's."""
    step = max(1.0, fps / float(rate.partition(",")[0]))
    numbers = [int(index * step) for index in range(int((count - 1) / step) + 1)]
    return [int(one) for one in thinned(numbers, seed)] if "dropped" in rate else numbers


def _enroll(channel: grpc.Channel, gallery: str, who: str, images: Sequence[bytes]) -> None:
    answer = gallery_pb2_grpc.GalleryServiceStub(channel).EnrollTemplates(
        gallery_pb2.EnrollTemplatesRequest(
            gallery_id=gallery,
            identity_id=who,
            images=[face_pb2.Image(data=data) for data in images],
            selection=face_pb2.FACE_SELECTION_LARGEST,
            create_identity=True,
        ),
        timeout=_TIMEOUT_S,
    )
    if not any(result.template_id for result in answer.results):
        raise RuntimeError(f"no picture of {who} was accepted")


def _enroll_gallery(channel: grpc.Channel, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        _enroll(channel, "", path.stem, [pictures.sendable(path)])


def _signers(report: Report, channel: grpc.Channel, folder: Path, seed: int) -> None:
    gallery = "signers"
    gallery_pb2_grpc.GalleryServiceStub(channel).CreateGallery(
        gallery_pb2.CreateGalleryRequest(gallery_id=gallery), timeout=_TIMEOUT_S
    )
    clips: list[tuple[str, list[bytes]]] = []
    for own in sorted(folder.iterdir()):
        first, *others = sorted(own.iterdir())
        frames = list(pictures.video_frames(first))
        _enroll(channel, gallery, own.name, pictures.evenly(frames, _ENROLLED_FRAMES))
        clips += [(own.name, list(pictures.video_frames(path))) for path in others]
    alone: defaultdict[str, _Named] = defaultdict(_Named)
    tracked: defaultdict[str, _Named] = defaultdict(_Named)
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    for signer, frames in progress(clips, "signers' clips", len(clips)):
        each = [
            stub.Recognize(
                recognition_pb2.RecognizeRequest(
                    gallery_id=gallery, image=face_pb2.Image(data=data)
                ),
                timeout=_TIMEOUT_S,
            ).faces
            for data in frames
        ]
        for rate in RATES:
            numbers = _kept(len(frames), _ASL_FPS, rate, seed)
            with TrackedStream(channel, gallery_id=gallery, camera_id=signer) as stream:
                for number in numbers:
                    result = stream.send(frames[number], number / _ASL_FPS)
                    _count(tracked[rate], signer, result.faces)
                    _count(alone[rate], signer, each[number])
    _show_signers(report, alone, tracked)


def _count(named: _Named, signer: str, faces: Sequence[face_pb2.Face]) -> None:
    if not faces:
        return
    named.with_face += 1
    largest = max(faces, key=lambda face: face.box.width_px * face.box.height_px)
    named.right += largest.decision.identity_id == signer
    named.wrong += bool({face.decision.identity_id for face in faces} - {"", signer})


def _show_signers(report: Report, alone: dict[str, _Named], tracked: dict[str, _Named]) -> None:
    lines = []
    for rate in RATES:
        before, now = alone[rate], tracked[rate]
        share, old = now.right / max(1, now.with_face), before.right / max(1, before.with_face)
        sure = wilson(now.right, now.with_face)
        lines.append(
            (
                rate,
                now.with_face,
                f"{old:.2%}",
                f"{share:.2%} ({sure:.2%})",
                before.wrong,
                now.wrong,
            )
        )
        if rate == RATES[0]:
            report.aim(
                "signers: share of frames with the right name ≥ frame by frame",
                f"{share:.2%} of {now.with_face} frames with a face, {old:.2%} of {before.with_face}",
                met=share >= old,
            )
    wrong = sum(one.wrong for one in tracked.values())
    report.aim("signers: wrong names", str(wrong), met=wrong == 0)
    columns = ["frames/s", "with a face", "frame by frame", "tracks", "wrong before", "wrong"]
    report.table("signers named", columns, lines)
    report.values["signers"] = [dict(zip(columns, line, strict=True)) for line in lines]


def _watched(
    report: Report,
    channel: grpc.Channel,
    clip: str,
    people: tuple[Seen, ...],
    frames: list[bytes],
    numbers: list[int],
    fps: float,
    rate: str,
) -> int:
    visits: defaultdict[str, _Visit] = defaultdict(_Visit)
    wrong: list[tuple[int, str, str]] = []
    with TrackedStream(channel, camera_id=clip) as stream:
        for number in numbers:
            for face in stream.send(frames[number], number / fps).faces:
                seen = person_at(people, number, face)
                who, own = (seen.who, seen.identity_id) if seen else ("someone else", "")
                name = face.decision.identity_id
                visits[who].frames.append(number / fps)
                visits[who].tracks.add(face.track_id)
                visits[who].names[name or face_pb2.Outcome.Name(face.decision.outcome)[8:]] += 1
                if name not in ("", own):
                    wrong.append((number, name, who))
    swaps = names_without_retraction(stream)
    report.values.setdefault("wrong", []).extend((clip, rate, *one) for one in wrong)
    if swaps:
        report.note(f"{clip} at {rate} frames/s: one name after another: {swaps}")
    if rate == RATES[0]:
        report.table(
            f"{clip}: visits at {rate} frames/s, beside what a person sees",
            ["who", "seen, s", "by", "found, s", "frames", "tracks", "shown as"],
            list(_lines(people, visits, fps)),
        )
    report.note(f"{clip}, {rate} frames/s: wrong names {len(wrong)} {wrong[:3] or ''}")
    return len(wrong) + len(swaps)


def person_at(people: tuple[Seen, ...], frame: float, face: face_pb2.Face) -> Seen | None:
    box = face.box
    return at(
        people, frame, box.x_px + box.width_px / 2, box.y_px + box.height_px / 2, box.width_px
    )


def _lines(
    people: tuple[Seen, ...], visits: dict[str, _Visit], fps: float
) -> Iterator[tuple[str, ...]]:
    for seen in people:
        span = f"{seen.first / fps:.1f}–{seen.last / fps:.1f}"
        yield (seen.who, span, seen.how, *_found(visits.get(seen.who)))
    if "someone else" in visits:
        yield ("someone else", "", "not written down", *_found(visits["someone else"]))


def _found(visit: _Visit | None) -> tuple[str, ...]:
    if visit is None:
        return ("", "0", "", "")
    spans = [[visit.frames[0], visit.frames[0]]]
    for before, now in pairwise(visit.frames):
        if now - before > 1:
            spans.append([now, now])
        spans[-1][1] = now
    return (
        ", ".join(f"{begin:.1f}–{end:.1f}" for begin, end in spans),
        str(len(visit.frames)),
        str(len(visit.tracks)),
        ", ".join(f"{name} {count}" for name, count in visit.names.most_common()),
    )


if __name__ == "__main__":
    run(main)
