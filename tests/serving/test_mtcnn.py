"""The `mtcnn` servable: its networks, its cascade and its engines against each other."""

import csv

import cv2
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from facewire_serving import mtcnn_weights, weights
from facewire_serving.mtcnn_nets import OutputNet, ProposalNet, RefineNet
from serving import reference_cascade

THRESHOLDS = (0.6, 0.7, 0.7)
CROWDS = (
    "ancestor/11faces.jpg",
    "scenes/multi/225_bbt5.jpg",
    "scenes/wider/12_Group_Group_12_Group_Group_12_935.jpg",
    "scenes/wider/22_Picnic_Picnic_22_241.jpg",
)


@pytest.fixture(scope="module")
def parameters(cache):
    return weights.mtcnn_parameters(cache)


@pytest.fixture(scope="module")
def openvino_engine(model_folder, in_openvino):
    request = in_openvino(model_folder("mtcnn")).create_infer_request()

    def detect(image, min_face_px=20, thresholds=THRESHOLDS):
        answer = request.infer(
            {
                "image": image,
                "min_face_px": np.float32(min_face_px),
                "thresholds": np.float32(thresholds),
            }
        )
        return {name: answer[name] for name in ("boxes", "scores", "landmarks")}

    return detect


@pytest.fixture(scope="module")
def tensorflow_engine(model_folder):
    loaded = tf.saved_model.load(str(model_folder("mtcnn")))

    def detect(image, min_face_px=20, thresholds=THRESHOLDS):
        answer = loaded.signatures["serving_default"](
            image=tf.constant(image),
            min_face_px=tf.constant(min_face_px, tf.float32),
            thresholds=tf.constant(thresholds, tf.float32),
        )
        return {name: value.numpy() for name, value in answer.items()}

    return detect


@pytest.fixture(params=["openvino", "tensorflow"])
def engine(request):
    return request.getfixturevalue(f"{request.param}_engine")


@pytest.fixture(scope="module")
def portrait():
    from skimage import data

    return data.astronaut()


@pytest.fixture(scope="module")
def canvases(shared):
    """All scenes as a stream would have them searched, and some crowds more closely."""
    with (shared / "scenes" / "scenes.csv").open(newline="") as file:
        scenes = [shared / "scenes" / row["path"] for row in csv.DictReader(file)]
    return [canvas(path, 320) for path in scenes] + [canvas(shared / name, 640) for name in CROWDS]


def rgb(path):
    picture = cv2.imread(str(path))
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def canvas(path, short_side_px, long_side_px=1280):
    """The picture as the server would send it to the detector."""
    picture = rgb(path)
    sides = picture.shape[:2]
    zoom = min(short_side_px / min(sides), long_side_px / max(sides))
    return cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)


def agreement(expected, found):
    """Which of the expected faces above 0.9 were found: IoU >= 0.9, score within 0.02.

    A face that was found stands for one expected face only.
    """
    agreed, claimed = [], np.zeros(len(found["scores"]), bool)
    for box, score in zip(*expected, strict=True):
        if score <= 0.9:
            continue
        overlap = reference_cascade.overlaps(box, found["boxes"])
        near = np.abs(found["scores"] - score) <= 0.02
        matches = np.flatnonzero((overlap >= 0.9) & near & ~claimed)
        claimed[matches[:1]] = True
        agreed.append(len(matches) > 0)
    return agreed


@pytest.mark.parametrize(
    ("name", "network", "side"),
    [("pnet", ProposalNet, 60), ("rnet", RefineNet, 24), ("onet", OutputNet, 48)],
)
def test_each_network_agrees_with_the_published_file(name, network, side, parameters, cache):
    rng = np.random.default_rng(7)
    pictures = rng.uniform(-1, 1, (5, side, side, 3)).astype(np.float32)
    published = onnxruntime.InferenceSession(weights.fetch(weights.MTCNN[name], cache))
    # The files take pictures indexed [x, y], as our P-Net does.
    turned = pictures.transpose(0, 2, 1, 3)
    answers = published.run(None, {published.get_inputs()[0].name: turned})
    by_width = {answer.shape[-1]: answer for answer in answers}

    logits, offsets, *landmarks = network(mtcnn_weights.constants(parameters))(
        turned if name == "pnet" else pictures
    )
    if name == "pnet":
        offsets = tf.transpose(offsets, [0, 2, 3, 1])

    np.testing.assert_allclose(tf.sigmoid(logits), by_width[2][..., 1], atol=1e-4)
    np.testing.assert_allclose(offsets, by_width[4], atol=1e-4)
    for points in landmarks:
        expected = by_width[10].reshape(-1, 2, 5).transpose(0, 2, 1)
        np.testing.assert_allclose(points, expected, atol=1e-4)


@pytest.mark.timeout(600)
@pytest.mark.shared
def test_the_graph_finds_the_faces_of_the_reference(
    parameters, canvases, openvino_engine, tensorflow_engine
):
    agreed: dict[str, list] = {
        "openvino": [],
        "tensorflow": [],
        "each other": [],
        "nothing else": [],
    }
    for image in canvases:
        expected = reference_cascade.detect(parameters, image, 20, THRESHOLDS)[:2]
        one, other = openvino_engine(image), tensorflow_engine(image)
        agreed["openvino"] += agreement(expected, one)
        agreed["tensorflow"] += agreement(expected, other)
        agreed["each other"] += agreement((one["boxes"], one["scores"]), other)
        reference = dict(zip(("boxes", "scores"), expected, strict=True))
        agreed["nothing else"] += agreement((one["boxes"], one["scores"]), reference)
    for pair, faces in agreed.items():
        assert len(faces) > 400
        assert np.mean(faces) >= 0.98, f"{pair}: {np.mean(faces):.3f} of {len(faces)}"


def test_a_face_comes_back_in_picture_pixels_with_landmarks_in_order(engine, portrait):
    face = engine(portrait)
    assert face["scores"][0] > 0.99
    x1, y1, x2, y2 = face["boxes"][0]
    assert 160 < x1 < 190
    assert 50 < y1 < 90
    assert 255 < x2 < 290
    assert 170 < y2 < 210
    left_eye, right_eye, nose, left_mouth, right_mouth = face["landmarks"][0]
    assert x1 < left_eye[0] < nose[0] < right_eye[0] < x2
    assert left_mouth[0] < right_mouth[0]
    assert y1 < left_eye[1] < nose[1] < left_mouth[1] < y2
    assert right_eye[1] < nose[1] < right_mouth[1]


def test_faces_come_best_first(engine, shared):
    scores = engine(canvas(shared / "ancestor" / "11faces.jpg", 640))["scores"]
    assert len(scores) >= 11
    assert np.all(np.diff(scores) <= 0)


def test_a_face_that_fills_the_picture_is_found(engine, portrait):
    face = engine(portrait)["boxes"][0].round().astype(int)
    tight = np.ascontiguousarray(portrait[face[1] : face[3], face[0] : face[2]])
    scores = engine(tight)["scores"]
    assert len(scores) == 1
    assert scores[0] > 0.95


def test_a_face_cut_by_the_border_may_reach_outside(engine, portrait):
    x1, y1, x2, _ = engine(portrait)["boxes"][0]
    cut = np.ascontiguousarray(portrait[:, int(x1 + 0.2 * (x2 - x1)) :])
    found = engine(cut)
    assert found["boxes"][0][0] < 0
    assert found["boxes"][0][1] == pytest.approx(y1, abs=12)


@pytest.mark.timeout(300)
@pytest.mark.shared
def test_tight_crops_are_found(openvino_engine, shared):
    pictures = sorted((shared / "groups" / "asian").glob("kpop*/*"))
    missed = [path.name for path in pictures if not len(openvino_engine(rgb(path))["scores"])]
    assert len(pictures) > 100
    assert not missed


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 3), (11, 11), (12, 12), (640, 7)])
@pytest.mark.parametrize("min_face_px", [0, 12, 1000])
def test_a_picture_without_a_face_gives_none(engine, shape, min_face_px):
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    answer = engine(image, min_face_px)
    assert {name: value.shape for name, value in answer.items()} == {
        "boxes": (0, 4),
        "scores": (0,),
        "landmarks": (0, 5, 2),
    }


def test_nothing_smaller_than_asked_for_is_looked_for(engine, portrait):
    assert len(engine(portrait, min_face_px=1000)["scores"]) == 0


def test_work_and_answer_are_bounded_when_everything_passes(openvino_engine):
    noise = np.random.default_rng(5).integers(0, 256, (240, 320, 3), np.uint8)
    scores = openvino_engine(noise, 12, (0, 0, 0))["scores"]
    assert 0 < len(scores) <= 512
