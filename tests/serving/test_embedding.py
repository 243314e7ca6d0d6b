"""SFace as exported, against the published ONNX file run by ONNX Runtime."""

import cv2
import numpy as np
import onnxruntime
import pytest
import skimage.data
import tensorflow as tf
from skimage.transform import SimilarityTransform

from facewire_serving import weights

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def published(cache):
    """Embeds crops with the published file, one at a time as it wants them; unit vectors and their lengths before."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # The file lists its constants as inputs: a warning for each.
    session = onnxruntime.InferenceSession(weights.sface_onnx(cache), options)

    def embed(crops):
        pixels = crops.transpose(0, 3, 1, 2).astype(np.float32)
        vectors = np.concatenate([session.run(None, {"data": crop[None]})[0] for crop in pixels])
        norms = np.linalg.norm(vectors, axis=1)
        return vectors / norms[:, None], norms

    return embed


@pytest.fixture(scope="module", params=["tensorflow", "openvino"])
def exported(request, model_folder, in_openvino):
    """Embeds crops with the servable, in either engine; unit vectors and their lengths before."""
    folder = model_folder("embedding")
    if request.param == "openvino":
        run = in_openvino(folder)
    else:
        signature = tf.saved_model.load(str(folder)).signatures["serving_default"]

        def run(inputs):
            return signature(faces=tf.constant(inputs["faces"]))

    def embed(crops):
        outputs = run({"faces": crops})
        return np.asarray(outputs["embeddings"]), np.asarray(outputs["norms"])

    return embed


def assert_same(found, expected):
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(found[1], expected[1], rtol=TOLERANCE)


# Eyes, nose, corners of the mouth: of the astronaut's face, and of the ArcFace template.
LANDMARKS = [(199.9, 101.8), (246.9, 102.7), (220.4, 124.5), (198.6, 142.8), (239.7, 143.6)]
TEMPLATE = [
    *((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366)),
    *((41.5493, 92.3655), (70.7299, 92.2041)),
]


@pytest.fixture(scope="module")
def faces():
    """A real face, aligned well and badly, light and dark: (36, 112, 112, 3) uint8."""
    picture = skimage.data.astronaut()
    aligned = SimilarityTransform.from_estimate(np.array(LANDMARKS), np.array(TEMPLATE)).params[:2]
    crops = []
    for angle in (-12, -6, 0, 6, 12, 90):
        for scale in (0.9, 1.0, 1.1):
            off = np.vstack([cv2.getRotationMatrix2D((56, 72), angle, scale), [0, 0, 1]])
            placed = off @ np.vstack([aligned, [0, 0, 1]])
            crop = cv2.warpAffine(picture, placed[:2], (112, 112))
            crops += [crop, (crop * 0.4).astype(np.uint8)]
    return np.stack(crops)


def test_real_faces_agree_with_the_published_network(exported, published, faces):
    assert_same(exported(faces), published(faces))


def test_noise_agrees_with_the_published_network(exported, published):
    noise = np.random.default_rng(7).integers(0, 256, (24, 112, 112, 3), np.uint8)
    assert_same(exported(noise), published(noise))


@pytest.mark.parametrize("value", [0, 255])
def test_flat_crops_agree_with_the_published_network(exported, published, value):
    flat = np.full((1, 112, 112, 3), value, np.uint8)
    assert_same(exported(flat), published(flat))


def test_embeddings_are_float32_of_unit_length(exported, faces):
    embeddings, norms = exported(faces)
    assert embeddings.dtype == norms.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-6)


def test_no_faces_give_no_embeddings(exported):
    embeddings, norms = exported(np.empty((0, 112, 112, 3), np.uint8))
    assert (embeddings.shape, norms.shape) == ((0, 128), (0,))


def test_a_face_gets_the_same_embedding_whatever_stands_beside_it(exported, faces):
    together, _ = exported(faces[:9])
    for batch in (1, 2, 9):
        apart = np.concatenate([exported(faces[i : i + batch])[0] for i in range(0, 9, batch)])
        np.testing.assert_allclose(apart[:9], together, rtol=0, atol=1e-5)


def test_one_face_differently_aligned_and_lit_stays_itself(exported, faces):
    noise = np.random.default_rng(8).integers(0, 256, (8, 112, 112, 3), np.uint8)
    (well_aligned,), _ = exported(faces[14:15])
    assert (exported(faces[:30])[0] @ well_aligned).min() > 0.7
    assert (exported(noise)[0] @ well_aligned).max() < 0.3


def test_the_norm_falls_with_blur_and_smear(exported, faces):
    (clean,) = faces[6:7]
    blurred = cv2.GaussianBlur(clean, (0, 0), 4)
    smeared = cv2.blur(clean, (17, 1))
    _, norms = exported(np.stack([clean, blurred, smeared]))
    assert norms[0] > 1.1 * max(norms[1:])
