"""Compares pairs of pictures by a running server's `Compare`."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import grpc
import numpy as np
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from numpy.typing import NDArray

from bench.report import progress
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.pictures import sendable

__all__ = ["NO_FACE_SIMILARITY", "Compared", "Pair", "compare_pairs", "similarities"]

NO_FACE_SIMILARITY: Final = -1.0
"""The similarity of a pair that could not be compared: below every threshold, so a mated pair is a miss."""

_IN_FLIGHT: Final = 4
_TIMEOUT_S: Final = 60.0


class Pair(NamedTuple):
    """Two pictures, and whether they show the same person."""

    first: Path
    second: Path
    mated: bool


class Compared(NamedTuple):
    """The answer to one pair.

    Attributes:
        similarity: cosine of the two faces; `NO_FACE_SIMILARITY` if a picture shows no face.
        same: the server's own conclusion.
        threshold: the bound that the similarity was compared with; 0 if nothing was compared.
        too_poor: a face was too poor to be compared.
    """

    similarity: float
    same: bool
    threshold: float
    too_poor: bool


def compare_pairs(
    channel: grpc.Channel, pairs: Sequence[Pair], label: str
) -> tuple[list[Compared], set[Path]]:
    """Compares pairs at the server's settings; of several faces, the most central is used.

    Returns:
        One answer for each pair, in order, and the pictures in which no face was found.
    """
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    with ThreadPoolExecutor(_IN_FLIGHT) as calls:
        answers = calls.map(lambda pair: _compare(stub, pair), pairs)
        compared = list(progress(answers, label, len(pairs)))
        # The server names the first picture that has no face; the other of the pair may have none either.
        suspects = sorted(
            {
                path
                for pair, answer in zip(pairs, compared, strict=True)
                if answer.similarity == NO_FACE_SIMILARITY
                for path in (pair.first, pair.second)
            }
        )
        empty = calls.map(lambda path: not _faces(stub, path), suspects)
        return compared, {path for path, none in zip(suspects, empty, strict=True) if none}


def similarities(compared: Sequence[Compared]) -> NDArray[np.float64]:
    """Returns the similarities, (n,)."""
    return np.array([answer.similarity for answer in compared])


def _compare(stub: recognition_pb2_grpc.RecognitionServiceStub, pair: Pair) -> Compared:
    request = recognition_pb2.CompareRequest(
        first=face_pb2.Image(data=sendable(pair.first)),
        second=face_pb2.Image(data=sendable(pair.second)),
        selection=face_pb2.FACE_SELECTION_MOST_CENTRAL,
    )
    try:
        answer = stub.Compare(request, timeout=_TIMEOUT_S)
    except grpc.RpcError as error:
        if _reason(error) != "NO_FACE":
            raise
        return Compared(NO_FACE_SIMILARITY, same=False, threshold=0.0, too_poor=False)
    return Compared(
        answer.similarity,
        answer.outcome == recognition_pb2.COMPARE_OUTCOME_SAME,
        answer.threshold,
        answer.outcome == recognition_pb2.COMPARE_OUTCOME_TOO_POOR,
    )


def _reason(error: grpc.RpcError) -> str:
    """The machine-readable half of an error: `ErrorInfo.reason`."""
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # what a stub raises is the call
    for detail in status.details if status else ():
        if detail.Unpack(info):
            reason: str = info.reason
            return reason
    return ""


def _faces(stub: recognition_pb2_grpc.RecognitionServiceStub, path: Path) -> int:
    image = face_pb2.Image(data=sendable(path))
    answer = stub.Recognize(recognition_pb2.RecognizeRequest(image=image), timeout=_TIMEOUT_S)
    return len(answer.faces)
