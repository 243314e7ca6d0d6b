"""The gallery service's rules about negative examples on a dictionary, for `fakes.server`.

`tests/integration/test_client_negatives.py` holds them to those of the real server.
"""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import grpc

from facewire.v1 import face_pb2, gallery_pb2
from fakes.gallery_service import Refusal
from fakes.unknown_service import FakeUnknown

__all__ = ["FakeNegatives"]

_MOST = 100
"""Negative examples of an identity."""


class FakeNegatives(FakeUnknown):
    """One method for each of the service's, of the same name."""

    def AddNegativeExample(self, request: Any, embed: Callable[[face_pb2.Image], Any]) -> Any:
        gallery = self.own(request.gallery_id)
        gallery.person(request.identity_id)
        asked = request.SerializeToString(deterministic=True)
        if request.request_id in gallery.answers:
            before, answer = gallery.answers[request.request_id]
            if before != asked:
                raise Refusal("REQUEST_ID_REUSED", "another request", field="request_id")
            return answer
        probe, face, *_ = embed(request.image)
        if face is None:
            raise Refusal("NO_FACE", "the picture shows no face", field="image")
        if face.quality.faults:
            raise Refusal("TOO_POOR", "the face is poor", field="image")
        if len(gallery.negatives_of(request.identity_id)) >= _MOST:
            code = grpc.StatusCode.RESOURCE_EXHAUSTED
            raise Refusal("GALLERY_FULL", "it has 100 negative examples", code=code)
        example = gallery_pb2.NegativeExample(
            negative_example_id=uuid.uuid4().hex, identity_id=request.identity_id,
            quality=face.quality, detection_score=face.detection_score,
            created_at_us=time.time_ns() // 1000, source=request.source,
        )  # fmt: skip
        gallery.negatives[example.negative_example_id] = example, probe
        own = [each for each in gallery.ranked(probe) if each.identity_id == request.identity_id]
        answer = gallery_pb2.AddNegativeExampleResponse(
            negative_example=example, box=face.box, similarity=own[0].similarity if own else 0,
            threshold=self.threshold, revision=gallery.wrote(),
        )  # fmt: skip
        if request.request_id:
            gallery.answers[request.request_id] = asked, answer
        return answer

    def ListNegativeExamples(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        gallery.person(request.identity_id)
        listed = [example for example, _ in gallery.negatives_of(request.identity_id)]
        return gallery_pb2.ListNegativeExamplesResponse(negative_examples=listed)

    def DeleteNegativeExample(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        if not re.fullmatch("[0-9a-f]{32}", request.negative_example_id):
            raise Refusal("FIELD_INVALID", "32 hexadecimal digits", field="negative_example_id")
        if request.negative_example_id not in gallery.negatives:
            code = grpc.StatusCode.NOT_FOUND
            raise Refusal("NEGATIVE_EXAMPLE_NOT_FOUND", "no such negative example", code=code)
        del gallery.negatives[request.negative_example_id]
        return gallery_pb2.DeleteNegativeExampleResponse(revision=gallery.wrote())
