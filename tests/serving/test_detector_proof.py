"""The golden box of the detector's proof comes from no engine that it proves."""

import numpy as np

from facewire_server.proof import detector_proof, follow_proof
from facewire_serving import weights
from serving import reference_cascade


def test_the_reference_finds_the_golden_box_and_nothing_else(cache):
    parameters = weights.mtcnn_parameters(cache)
    thresholds = (0.6, 0.7, 0.7)
    boxes, scores = reference_cascade.detect(parameters, detector_proof.draw(), 20, thresholds)[:2]
    np.testing.assert_allclose(boxes, [detector_proof.GOLDEN_BOX], atol=0.01)
    assert scores[0] > 0.999


def test_the_reference_follows_the_drawn_face_to_the_golden_boxes(cache):
    parameters = weights.mtcnn_parameters(cache)
    boxes, scores, _ = reference_cascade.follow(
        parameters, detector_proof.draw(), follow_proof.windows()
    )
    np.testing.assert_allclose(boxes[:-1], follow_proof.GOLDEN_BOXES, atol=0.01)
    assert (scores[:-1] > 0.95).all()
    assert scores[-1] < 0.01
