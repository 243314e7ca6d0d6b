"""The signature `follow` of the `mtcnn` servable: its engines against each other and against the reference."""

import csv

import cv2
import numpy as np
import pytest
import tensorflow as tf

from facewire_server.backends.saved_model import OUTPUT, as_default
from facewire_serving import weights
from serving import reference_cascade

NAMES = ("boxes", "scores", "landmarks")


@pytest.fixture(scope="module")
def parameters(cache):
    return weights.mtcnn_parameters(cache)


@pytest.fixture(scope="module")
def in_tensorflow(model_folder):
    signature = tf.saved_model.load(str(model_folder("mtcnn"))).signatures["follow"]

    def follow(image, boxes):
        answer = signature(image=tf.constant(image), boxes=tf.constant(boxes, tf.float32))
        return {name: value.numpy() for name, value in answer.items()}

    return follow


@pytest.fixture(scope="module")
def in_the_other(model_folder, in_openvino):
    with as_default(model_folder("mtcnn"), "follow") as copy:
        compiled = in_openvino(copy)
    request = compiled.create_infer_request()

    def follow(image, boxes):
        request.infer({"image": image, "boxes": np.asarray(boxes, np.float32)})
        return {
            port.any_name.removeprefix(OUTPUT): request.get_tensor(port).data.copy()
            for port in compiled.outputs
        }

    return follow


@pytest.fixture(params=["tensorflow", "openvino"])
def engine(request, in_tensorflow, in_the_other):
    return in_tensorflow if request.param == "tensorflow" else in_the_other


@pytest.fixture(scope="module")
def portrait():
    """A canvas with one face, as the server would send it, and the face's box."""
    from skimage import data

    image = cv2.resize(data.astronaut(), (320, 320), interpolation=cv2.INTER_AREA)
    return image, np.array([110.0, 43.0, 171.0, 122.0])


def moved(box, seed, count):
    """Windows about a box: off by up to a fifth of it, and up to a fifth larger or smaller."""
    rng = np.random.default_rng(seed)
    side = (box[2:] - box[:2]).max()
    center = (box[:2] + box[2:]) / 2 + rng.uniform(-0.2, 0.2, (count, 2)) * side
    half = (box[2:] - box[:2]) / 2 * rng.uniform(0.8, 1.2, (count, 1))
    return np.concatenate([center - half, center + half], 1).astype(np.float32)


def assert_same(found, expected, pixels=0.05):
    for name in NAMES:
        tolerance = 0.002 if name == "scores" else pixels
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=tolerance)


def in_reference(parameters, image, boxes):
    return dict(zip(NAMES, reference_cascade.follow(parameters, image, boxes), strict=True))


def test_it_agrees_with_the_reference(engine, parameters, portrait):
    image, face = portrait
    windows = np.concatenate([moved(face, 1, 20), moved(np.array([10.0, 200, 90, 280]), 2, 5)])
    found = engine(image, windows)
    assert_same(found, in_reference(parameters, image, windows))
    assert (found["scores"][:20] > 0.9).all()
    assert (found["scores"][20:] < 0.1).all()


@pytest.mark.timeout(300)
@pytest.mark.shared
def test_it_agrees_with_the_reference_on_many_pictures(
    in_tensorflow, in_the_other, parameters, shared
):
    with (shared / "scenes" / "scenes.csv").open(newline="") as file:
        scenes = [row["path"] for row in csv.DictReader(file)][::3]
    far = []
    for seed, path in enumerate(scenes):
        picture = cv2.imread(str(shared / "scenes" / path))
        assert picture is not None
        zoom = 320 / min(picture.shape[:2])
        image = cv2.resize(picture[..., ::-1], None, fx=zoom, fy=zoom)
        windows = moved(np.array([120.0, 60.0, 180.0, 140.0]), seed, 6)
        expected = in_reference(parameters, image, windows)
        for engine in (in_tensorflow, in_the_other):
            found = engine(image, windows)
            # A crop's second window may lie a rounding error elsewhere, which shows where a picture is not smooth.
            far.append(np.abs(found["scores"] - expected["scores"]).max())
            np.testing.assert_allclose(found["boxes"], expected["boxes"], rtol=0, atol=0.5)
    assert len(far) > 80
    assert np.quantile(far, 0.95) < 0.002
    assert max(far) < 0.05


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 17, 33, 65, 130])
def test_a_row_does_not_depend_on_the_others(engine, portrait, count):
    image, face = portrait
    windows = moved(face, 3, count)
    together = engine(image, windows)
    assert [together[name].shape for name in NAMES] == [(count, 4), (count,), (count, 5, 2)]
    for row in range(0, count, 7):
        alone = engine(image, windows[row : row + 1])
        assert_same({name: together[name][row : row + 1] for name in NAMES}, alone, 0.01)


ODD = {
    "nan": [np.nan, 20, 120, 140],
    "infinite": [-np.inf, 20, np.inf, 140],
    "a_point": [80, 80, 80, 80],
    "a_line": [40, 80, 120, 80],
    "inverted": [171, 122, 110, 43],
    "inverted_in_width": [171, 43, 110, 122],
    "far_outside": [5000, 5000, 5100, 5100],
    "beyond_numbers": [1e38, 1e38, 3e38, 3e38],
    "all_there_is": [-3e38, -3e38, 3e38, 3e38],
    "a_thousandth": [80, 80, 80.001, 80.001],
    "a_needle": [80, 0, 80.5, 300],
}


@pytest.mark.parametrize("window", ODD.values(), ids=ODD.keys())
def test_a_window_that_is_none_has_a_low_score_and_spoils_nothing(engine, portrait, window):
    image, face = portrait
    found = engine(image, np.array([face, window, face], np.float32))
    assert all(np.isfinite(found[name]).all() for name in NAMES)
    assert found["scores"][1] < 0.1
    assert_same(
        {name: found[name][[0, 2]] for name in NAMES}, engine(image, np.array([face, face]))
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 3)])
def test_a_picture_of_any_size_is_taken(engine, shape):
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    found = engine(image, np.array([[0, 0, 40, 40], [-20, -20, 2, 2]], np.float32))
    assert all(np.isfinite(found[name]).all() for name in NAMES)
