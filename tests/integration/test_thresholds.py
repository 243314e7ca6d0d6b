"""The threshold in force grows with the gallery, and everything that decides or shows it agrees."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import DecisionPolicy, FrameResult, ThresholdSource
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from harness.running import RunningServer, running_server
from integration.conftest import run_command

DIMENSION = 128
SERVERS_OWN = DecisionPolicy()


def crowd(count: int, contract_id: str, gallery: str) -> Iterator[gallery_pb2.ImportGalleryRequest]:
    """An import of this number of people, each with one template in a random direction."""
    record = gallery_pb2.GalleryRecord
    header = gallery_pb2.ExportHeader(
        gallery=gallery_pb2.Gallery(model_contract_id=contract_id), dimension=DIMENSION
    )
    yield gallery_pb2.ImportGalleryRequest(gallery_id=gallery, record=record(header=header))
    rows = np.random.default_rng(7).standard_normal((count, DIMENSION))
    for number, row in enumerate(rows / np.linalg.norm(rows, axis=1, keepdims=True)):
        person = gallery_pb2.Identity(identity_id=f"person-{number}")
        yield gallery_pb2.ImportGalleryRequest(record=record(identity=person))
        template = gallery_pb2.ExportedTemplate(
            template=gallery_pb2.Template(
                template_id=f"{number:032x}", identity_id=person.identity_id
            ),
            embedding=row.astype("<f4").tobytes(),
        )
        yield gallery_pb2.ImportGalleryRequest(record=record(template=template))


@pytest.fixture
def portrait(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return astronaut[:256, 96:352]


def imported(server: RunningServer, client: facewire.Client, gallery: str, count: int) -> None:
    contract_id = client.server_info().model_contract_id
    with server.channel() as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        assert stub.ImportGallery(crowd(count, contract_id, gallery)).identities_added == count


def decided(
    client: facewire.Client,
    gallery: str,
    portrait: NDArray[np.uint8],
    policy: DecisionPolicy = SERVERS_OWN,
) -> facewire.Decision:
    (face,) = client.recognize(portrait, gallery=gallery, decision=policy).faces
    assert face.decision is not None
    return face.decision


def test_the_threshold_follows_the_number_of_people(
    server: RunningServer, client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]
) -> None:
    first = client.enroll("ada", portrait, gallery=gallery)
    assert first.threshold == pytest.approx(0.42)
    assert first.threshold_source is ThresholdSource.GALLERY_SIZE
    imported(server, client, gallery, 299)
    described = client.gallery(gallery)
    assert described.identity_count == 300
    assert described.threshold == pytest.approx(0.475)
    assert described.threshold_source is ThresholdSource.GALLERY_SIZE
    seen = decided(client, gallery, portrait)
    assert (seen.threshold, seen.threshold_source) == (
        described.threshold,
        ThresholdSource.GALLERY_SIZE,
    )
    with pytest.warns(facewire.SimilarIdentityWarning):
        second = client.enroll("bo", portrait[:, ::-1].copy(), gallery=gallery)
    assert second.threshold == client.gallery(gallery).threshold > described.threshold
    # One comparison is one of one, whatever is in galleries.
    assert client.compare(portrait, portrait).threshold == pytest.approx(0.42)


def test_a_stream_decides_by_the_size_that_the_gallery_has_meanwhile(
    server: RunningServer, client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]
) -> None:
    thresholds: list[float] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        while not thresholds:
            yield portrait
        imported(server, client, gallery, 100)
        # An import is several changes, and a person in view is searched for again twice a second.
        while thresholds[-1] == thresholds[0]:
            yield portrait

    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames(), gallery=gallery, policy=policy) as stream:
        for result in stream:
            if not isinstance(result, FrameResult):
                continue
            (face,) = result.faces
            assert face.decision is not None
            thresholds.append(face.decision.threshold)
    assert thresholds[0] == pytest.approx(0.42)
    assert thresholds[-1] == pytest.approx(0.452)


def test_a_request_sets_its_own(
    client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]
) -> None:
    client.enroll("ada", portrait, gallery=gallery)
    seen = decided(client, gallery, portrait, DecisionPolicy(threshold=0.75))
    assert (seen.threshold, seen.threshold_source) == (0.75, ThresholdSource.REQUEST)
    assert client.gallery(gallery).threshold_source is ThresholdSource.GALLERY_SIZE


def test_the_operators_holds_for_every_size(models: object, portrait: NDArray[np.uint8]) -> None:
    with running_server(threshold=0.5) as server, facewire.Client(server.address) as client:
        enrolled = client.enroll("ada", portrait)
        imported(server, client, "default", 100)
        seen, info = decided(client, "default", portrait), client.server_info()
        compared = client.compare(portrait, portrait)
        shown = [
            (each.threshold, each.threshold_source) for each in (enrolled, seen, client.gallery())
        ]
        status = run_command(server.address, "status").stdout
    assert shown == [(0.5, ThresholdSource.OPERATOR)] * 3
    assert "threshold    0.500, set by the operator" in status
    assert "0.500 (set by the operator)" in status
    assert (compared.threshold, info.decision_defaults.threshold) == (0.5, 0.5)


def test_a_server_lists_its_steps(server: RunningServer, client: facewire.Client) -> None:
    status = run_command(server.address, "status").stdout
    assert "by the number of people in a gallery: 0.420 (20), 0.438 (50), 0.452 (100)" in status
    assert "0.420 (by the size of the gallery)" in status
    info = client.server_info()
    assert info.decision_defaults.threshold is None
    assert [
        (step.identity_count, round(step.threshold, 4)) for step in info.threshold_steps
    ] == [
        (20, 0.42), (50, 0.438), (100, 0.452), (300, 0.475), (1000, 0.497), (3000, 0.525),
        (10_000, 0.549),
    ]  # fmt: skip
