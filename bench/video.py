"""Identification (1:N) in video: signers enrolled from one clip, recognized in their others.

In round r the r-th clip of each signer is enrolled: ten frames spread over it. All their
other clips are then streamed frame by frame, each frame on its own. A frame is right if its largest
face is KNOWN as the signer; a name is wrong if any face is KNOWN as another signer.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import grpc

from bench.report import Report, parser, progress, run
from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc
from facewire_server.evaluation.intervals import wilson
from harness import pictures
from harness.running import running_server
from harness.streaming import OneInFlight

__all__: list[str] = []

AIM_RIGHT: Final = 0.95
_ENROLLED_FRAMES: Final = 10
_STREAMS: Final = 3
_TIMEOUT_S: Final = 60.0


class _Clip(NamedTuple):
    gallery_id: str
    signer: str
    path: Path


class _Seen(NamedTuple):
    """The results of a clip, as numbers of frames."""

    frames: int
    with_face: int
    right: int
    wrong_names: int
    outcomes: Counter[str]


def main() -> int:
    flags = parser("video", __doc__)
    flags.add_argument(
        "--rounds", type=int, default=1, help="clips of each signer to enroll, in turn"
    )
    arguments = flags.parse_args()
    folder = pictures.folder("video") / "asl"
    signers = {path.name: sorted(path.iterdir()) for path in sorted(folder.iterdir())}
    rounds = min(arguments.rounds, min(map(len, signers.values())))
    report = Report("video", arguments)
    with running_server() as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        clips: list[_Clip] = []
        for index in range(rounds):
            clips += _enroll(galleries, f"round-{index + 1}", signers, index)
        with ThreadPoolExecutor(_STREAMS) as streams:
            answers = streams.map(lambda clip: _watch(channel, clip), clips)
            seen = list(progress(answers, "clips", len(clips)))
    _print(report, list(zip(clips, seen, strict=True)))
    return report.finish()


def _enroll(
    galleries: gallery_pb2_grpc.GalleryServiceStub,
    gallery_id: str,
    signers: dict[str, list[Path]],
    index: int,
) -> list[_Clip]:
    """Enrolls each signer's clip `index` into a separate gallery; returns the other clips."""
    galleries.CreateGallery(
        gallery_pb2.CreateGalleryRequest(gallery_id=gallery_id), timeout=_TIMEOUT_S
    )
    others = []
    for signer, clips in signers.items():
        frames = pictures.evenly(list(pictures.video_frames(clips[index])), _ENROLLED_FRAMES)
        answer = galleries.EnrollTemplates(
            gallery_pb2.EnrollTemplatesRequest(
                gallery_id=gallery_id,
                identity_id=signer,
                images=[face_pb2.Image(data=data) for data in frames],
                selection=face_pb2.FACE_SELECTION_LARGEST,
                create_identity=True,
            ),
            timeout=_TIMEOUT_S,
        )
        if not any(result.template_id for result in answer.results):
            raise RuntimeError(f"no frame of {clips[index].name} was accepted")
        others += [_Clip(gallery_id, signer, path) for path in clips if path != clips[index]]
    return others


def _watch(channel: grpc.Channel, clip: _Clip) -> _Seen:
    frames = with_face = right = wrong_names = 0
    outcomes: Counter[str] = Counter()
    with OneInFlight(channel, clip.gallery_id) as stream:
        for answer in stream.send_all(pictures.video_frames(clip.path)):
            frames += 1
            if not answer.faces:
                continue
            with_face += 1
            largest = max(answer.faces, key=lambda face: face.box.width_px * face.box.height_px)
            right += largest.decision.identity_id == clip.signer
            named = {face.decision.identity_id for face in answer.faces} - {"", clip.signer}
            wrong_names += bool(named)
            outcomes[face_pb2.Outcome.Name(largest.decision.outcome).removeprefix("OUTCOME_")] += 1
    return _Seen(frames, with_face, right, wrong_names, outcomes)


def _print(report: Report, watched: list[tuple[_Clip, _Seen]]) -> None:
    total = _sum([seen for _, seen in watched])
    lines = []
    for signer in sorted({clip.signer for clip, _ in watched}):
        seen = _sum([seen for clip, seen in watched if clip.signer == signer])
        lines.append((signer, seen))
    report.table(
        "frames of the clips that were not enrolled",
        ["signer", "frames", "with a face", "right", "share", "wrong names", "outcomes"],
        [
            (
                name,
                str(seen.frames),
                str(seen.with_face),
                str(seen.right),
                f"{seen.right / max(1, seen.with_face):.2%}",
                str(seen.wrong_names),
                ", ".join(f"{count} {outcome}" for outcome, count in seen.outcomes.most_common()),
            )
            for name, seen in [*lines, ("all", total)]
        ],
    )
    share, sure = total.right / max(1, total.with_face), wilson(total.right, total.with_face)
    report.values |= total._asdict()
    report.values["share_right"] = share
    report.aim(
        f"frames with a face that are right ≥ {AIM_RIGHT:.0%}",
        f"{share:.2%} ({sure:.2%})",
        met=share >= AIM_RIGHT,
    )
    report.aim("no wrong name", str(total.wrong_names), met=total.wrong_names == 0)


def _sum(seen: list[_Seen]) -> _Seen:
    return _Seen(
        sum(one.frames for one in seen),
        sum(one.with_face for one in seen),
        sum(one.right for one in seen),
        sum(one.wrong_names for one in seen),
        sum((one.outcomes for one in seen), Counter()),
    )


if __name__ == "__main__":
    run(main)
