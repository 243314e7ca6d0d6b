"""Matching of detections to known faces."""

import numpy as np
import pytest

from bench.boxes import found, iou


def test_iou_of_known_overlaps():
    boxes = np.array([(0, 0, 10, 10)], float)
    others = np.array([(0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30)], float)
    np.testing.assert_allclose(iou(boxes, others), [[1.0, 1 / 3, 0.0]])


def test_each_detection_finds_one_face_only():
    truth = np.array([(0, 0, 10, 10), (1, 0, 11, 10)], float)
    one = np.array([(0, 0, 10, 10, 0.9)])
    assert found(one, truth).tolist() == [True, False]
    assert found(np.vstack([one, one]), truth).tolist() == [True, True]


def test_the_better_detection_claims_first():
    truth = np.array([(0, 0, 10, 10), (4, 0, 14, 10)], float)
    detected = np.array([(2, 0, 12, 10, 0.8), (0, 0, 10, 10, 0.99)])
    assert found(detected, truth).tolist() == [True, True]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_detected_or_nothing_there(shape):
    detected, truth = np.zeros((shape[0], 5)), np.zeros((shape[1], 4))
    assert found(detected, truth).tolist() == [False] * shape[1]
