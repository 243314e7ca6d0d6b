"""The threshold in force follows from the wanted error rate and the gallery's people, and everything that decides or shows it agrees."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import DecisionPolicy, FrameResult, ThresholdSource
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from facewire_server.app.values import read_model_contract
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import gallery_rule
from harness.running import RunningServer, running_server
from integration.conftest import run_command

DIMENSION = 128
SERVERS_OWN = DecisionPolicy()


def faces(count: int) -> NDArray[np.float32]:
    """Embeddings of people who resemble one another about as people do: .1, spread .08."""
    random = np.random.default_rng(7)
    rows = random.standard_normal((count + 1, DIMENSION))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    mixed = np.sqrt(0.1) * rows[0] + np.sqrt(0.9) * rows[1:]
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def expected(count: int, max_fpir: float = 0.003) -> float:
    """The threshold of a gallery of these people."""
    calibration = read_model_contract("sface").calibration
    assert calibration is not None
    people = np.arange(count)
    pairs = gallery_pairs(faces(count), people, faces(count), people)
    return gallery_rule(calibration, max_fpir, count, pairs).threshold


def crowd(count: int, contract_id: str, gallery: str) -> Iterator[gallery_pb2.ImportGalleryRequest]:
    """An import of this number of people, each with one template."""
    record = gallery_pb2.GalleryRecord
    header = gallery_pb2.ExportHeader(
        gallery=gallery_pb2.Gallery(model_contract_id=contract_id), dimension=DIMENSION
    )
    yield gallery_pb2.ImportGalleryRequest(gallery_id=gallery, record=record(header=header))
    for number, row in enumerate(faces(count)):
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


def test_the_threshold_follows_from_the_people_of_a_gallery(
    server: RunningServer, client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]
) -> None:
    first = client.enroll("ada", portrait, gallery=gallery)
    assert first.threshold == pytest.approx(0.426)
    assert first.threshold_source is ThresholdSource.ERROR_RATE
    imported(server, client, gallery, 299)
    described = client.gallery(gallery)
    assert described.identity_count == 300
    assert described.threshold == pytest.approx(expected(299), abs=0.005)
    assert described.threshold_source is ThresholdSource.ERROR_RATE
    seen = decided(client, gallery, portrait)
    assert (seen.threshold, seen.threshold_source) == (
        described.threshold,
        ThresholdSource.ERROR_RATE,
    )
    with pytest.warns(facewire.SimilarIdentityWarning):
        second = client.enroll("bo", portrait[:, ::-1].copy(), gallery=gallery)
    assert second.threshold == client.gallery(gallery).threshold > described.threshold
    # A comparison of two pictures has a rate of its own, whatever is in galleries.
    compared = client.compare(portrait, portrait)
    assert compared.threshold == pytest.approx(0.426)
    assert compared.threshold_source is ThresholdSource.ERROR_RATE
    assert compared.threshold_false_match_rate == pytest.approx(1e-4)
    rarer = client.compare(portrait, portrait, decision=DecisionPolicy(max_fpir=1e-6))
    assert rarer.threshold == pytest.approx(0.523)
    assert rarer.threshold_false_match_rate == pytest.approx(1e-6)


def test_a_comparison_says_how_often_two_different_people_are_as_similar(
    client: facewire.Client, portrait: NDArray[np.uint8]
) -> None:
    calibration = read_model_contract("sface").calibration
    assert calibration is not None
    compared = client.compare(portrait, portrait, decision=DecisionPolicy(threshold=0.45))
    rate = calibration.fmr_at(compared.similarity)
    assert compared.false_match_rate == pytest.approx(rate.value, rel=1e-3)
    assert compared.false_match_rate_bound == pytest.approx(rate.bound, rel=1e-3)
    assert compared.is_extrapolated
    assert compared.threshold_source is ThresholdSource.REQUEST
    assert compared.threshold_false_match_rate == pytest.approx(
        calibration.fmr_at(compared.threshold).value
    )
    assert not compared.are_both_blurred


def test_a_stream_decides_by_the_people_that_the_gallery_has_meanwhile(
    server: RunningServer, client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]
) -> None:
    thresholds: list[float] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        while not thresholds:
            yield portrait
        imported(server, client, gallery, 300)
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
    assert thresholds[0] == pytest.approx(0.426)
    assert thresholds[-1] > 0.43


def test_a_request_sets_its_own(
    client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]
) -> None:
    client.enroll("ada", portrait, gallery=gallery)
    seen = decided(client, gallery, portrait, DecisionPolicy(threshold=0.75))
    assert (seen.threshold, seen.threshold_source) == (0.75, ThresholdSource.REQUEST)
    assert client.gallery(gallery).threshold_source is ThresholdSource.ERROR_RATE


def test_a_request_wants_another_error_rate(
    server: RunningServer, client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]
) -> None:
    client.enroll("ada", portrait, gallery=gallery)
    imported(server, client, gallery, 60)
    by_rate = {
        rate: decided(client, gallery, portrait, DecisionPolicy(max_fpir=rate))
        for rate in (0.1, 0.01, 1e-5)
    }
    for rate, seen in by_rate.items():
        assert seen.threshold == pytest.approx(expected(60, rate), abs=0.01)
        assert seen.threshold_source is ThresholdSource.ERROR_RATE
    both = DecisionPolicy(threshold=0.5, max_fpir=0.01)
    with pytest.raises(facewire.InvalidRequestError, match="set one of them"):
        decided(client, gallery, portrait, both)
    with pytest.raises(facewire.InvalidRequestError, match="set one of them"):
        list(client.stream([portrait], gallery=gallery, decision=both))


def test_alarms_a_month_are_an_error_rate(models: object, portrait: NDArray[np.uint8]) -> None:
    policy = DecisionPolicy.of_alarms(2, 50)
    with (
        running_server(false_alarms_a_month=2.0, strangers_a_day=50.0) as server,
        facewire.Client(server.address) as client,
    ):
        imported(server, client, "default", 300)
        wanted = client.server_info().decision_defaults.max_fpir or 0.0
        shown = client.gallery().threshold
    assert wanted == pytest.approx(policy.max_fpir)
    assert shown == pytest.approx(expected(300, wanted), abs=1e-4)


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
    assert compared.threshold_source is ThresholdSource.OPERATOR


def test_a_server_lists_its_steps(server: RunningServer, client: facewire.Client) -> None:
    status = run_command(server.address, "status").stdout
    assert (
        "by its people: 0.30% of strangers may get a name (0.426 among 10, 0.426 among 30" in status
    )
    assert "0.426 (by the wanted error rate)" in status
    info = client.server_info()
    assert info.decision_defaults.threshold is None
    assert info.decision_defaults.max_fpir == pytest.approx(0.003)
    thresholds = [step.threshold for step in info.threshold_steps]
    assert thresholds == sorted(thresholds)
    assert (thresholds[0], thresholds[-1]) == pytest.approx((0.426, 0.548), abs=0.002)
    assert info.has(facewire.Feature.ERROR_RATES)


def test_a_command_wants_an_error_rate(
    server: RunningServer,
    client: facewire.Client,
    gallery: str,
    portrait: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    file = tmp_path / "portrait.png"
    cv2.imwrite(str(file), portrait)
    imported(server, client, gallery, 60)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return run_command(
            server.address, "recognize", file, "--gallery", gallery, "--json", *options
        )

    def shown(*options: str) -> float:
        (face,) = json.loads(run(*options).stdout)["result"]["faces"]
        return float(face["decision"]["threshold"])

    assert shown("--max-fpir=0.00001") == pytest.approx(expected(60, 1e-5), abs=0.001)
    assert shown("--threshold=0.51") == pytest.approx(0.51)
    alarms = shown("--false-alarms-a-month=1", "--strangers-a-day=20")
    assert alarms == pytest.approx(expected(60, 1 / (20 * 30.4375)), abs=0.001)
    for options in (
        ("--max-fpir=0.01", "--threshold=0.5"),
        ("--strangers-a-day=20",),
        ("--max-fpir=0.01", "--false-alarms-a-month=1", "--strangers-a-day=20"),
    ):
        assert run(*options).returncode == 2
