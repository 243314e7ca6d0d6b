"""MTCNN as a plain float64 numpy program, written for obviousness: the yardstick of the graph.

It follows the definition in the docstrings of `facewire_serving.mtcnn*` (pyramid, resampling,
crops, thresholds) and shares no code with it. Pictures are [y, x], one level and one crop at a
time; nothing is packed or rounded up.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

CELL, STRIDE, MARGIN = 12, 2, 6
MOST_PROPOSALS, MOST_REFINED = 2048, 512


def detect(weights, image, min_face_px, thresholds):
    """Gives boxes [n, 4], scores [n] and landmarks [n, 5, 2], best first."""
    boxes = propose(weights["pnet"], image, min_face_px, thresholds[0])
    boxes = refine(weights["rnet"], image, boxes, thresholds[1])
    return output(weights["onet"], image, boxes, thresholds[2])


def propose(weights, image, min_face_px, threshold):
    boxes, scores, offsets = [], [], []
    for level, scale in pyramid(image, min_face_px):
        face, offset = pnet(weights, level)
        rows, columns = np.nonzero(face > threshold)
        corner = np.stack([columns, rows], 1) * STRIDE
        windows = np.concatenate([corner, corner + CELL], 1).astype(float)
        keep = suppress(windows, face[rows, columns], 0.49)
        boxes.append((windows[keep] - MARGIN) / np.tile(scale, 2))
        scores.append(face[rows, columns][keep])
        offsets.append(offset[rows, columns][keep])
    if not boxes:
        return np.empty((0, 4))
    best = np.argsort(-np.concatenate(scores), kind="stable")[:MOST_PROPOSALS]
    return square(calibrate(np.concatenate(boxes)[best], np.concatenate(offsets)[best]))


def refine(weights, image, boxes, threshold):
    scores, offsets = rnet(weights, crops(image, boxes, 24))
    passed = scores > threshold
    boxes = calibrate(boxes[passed], offsets[passed])
    return square(boxes[suppress(boxes, scores[passed], 0.85)[:MOST_REFINED]])


def output(weights, image, boxes, threshold):
    scores, offsets, points = onet(weights, crops(image, boxes, 48))
    passed = scores > threshold
    boxes, scores, offsets, points = (a[passed] for a in (boxes, scores, offsets, points))
    landmarks = boxes[:, None, :2] + points * (boxes[:, 2:] - boxes[:, :2])[:, None]
    boxes = calibrate(boxes, offsets)
    keep = suppress(boxes, scores, 0.7, of_smaller=True)
    return boxes[keep], scores[keep], landmarks[keep]


def follow(weights, image, boxes):
    """Gives boxes [n, 4], scores [n] and landmarks [n, 5, 2], row by row, of windows that have an area."""
    boxes = square(np.asarray(boxes, float))
    _, offsets, _ = onet(weights["onet"], crops(image, boxes, 48))
    boxes = square(calibrate(boxes, offsets))
    scores, offsets, points = onet(weights["onet"], crops(image, boxes, 48))
    landmarks = boxes[:, None, :2] + points * (boxes[:, 2:] - boxes[:, :2])[:, None]
    return calibrate(boxes, offsets), scores, landmarks


# --- pictures


def pyramid(image, min_face_px):
    """Yields each level with its margins, [h, w, 3], and its scale (x, y)."""
    height, width = image.shape[:2]
    levels: list[tuple[np.ndarray, np.ndarray]] = []
    for k in range(14):
        zoom = CELL / min_face_px * math.sqrt(0.5) ** k
        if min(height, width) * zoom < 8:
            return
        if k < 2:
            h, w = (max(1, math.floor(side * zoom + 0.5)) for side in (height, width))
            level, scale = resize(normalize(image), h, w), np.array([w / width, h / height])
        else:
            level, scale = halve(levels[k - 2][0]), levels[k - 2][1] / 2
        levels.append((level, scale))
        odd = [side % 2 for side in level.shape[:2]]
        margins = [(MARGIN, MARGIN + odd[0]), (MARGIN, MARGIN + odd[1]), (0, 0)]
        yield np.pad(level, margins), scale


def normalize(image):
    return (image.astype(float) - 127.5) / 128


def halve(picture):
    h, w = picture.shape[:2]
    even = np.pad(picture, [(0, h % 2), (0, w % 2), (0, 0)])
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


def resize(picture, h, w):
    y = (np.arange(h) + 0.5) * picture.shape[0] / h
    x = (np.arange(w) + 0.5) * picture.shape[1] / w
    return bilinear(picture, y[:, None], x[None, :])


def bilinear(picture, y, x):
    """The picture at points (0.5, 0.5 is the center of the first pixel); its border repeats."""
    y = np.clip(y - 0.5, 0, picture.shape[0] - 1)
    x = np.clip(x - 0.5, 0, picture.shape[1] - 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    bottom = np.minimum(top + 1, picture.shape[0] - 1)
    right = np.minimum(left + 1, picture.shape[1] - 1)
    down, along = (y - top)[..., None], (x - left)[..., None]
    upper = picture[top, left] * (1 - along) + picture[top, right] * along
    lower = picture[bottom, left] * (1 - along) + picture[bottom, right] * along
    return upper * (1 - down) + lower * down


def crops(image, boxes, side):
    picture = normalize(image)
    grid = (np.arange(side) + 0.5) / side
    out = np.zeros((len(boxes), side, side, 3))
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        y, x = (y1 + (y2 - y1) * grid)[:, None], (x1 + (x2 - x1) * grid)[None, :]
        inside = (y >= 0) & (y < picture.shape[0]) & (x >= 0) & (x < picture.shape[1])
        out[i] = bilinear(picture, y, x) * inside[..., None]
    return out


# --- boxes


def calibrate(boxes, offsets):
    return boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2)


def square(boxes):
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], 1)


def overlaps(box, boxes, of_smaller=False):
    """Intersection over union, or over the smaller area, of a box [4] with boxes [n, 4]."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    area, areas = np.prod(box[2:] - box[:2]), np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / (np.minimum(area, areas) if of_smaller else area + areas - shared)


def suppress(boxes, scores, overlap, of_smaller=False):
    """Greedy non-maximum suppression; gives the indices to keep, best first."""
    left, keep = np.argsort(-scores, kind="stable"), []
    while left.size:
        best, left = left[0], left[1:]
        keep.append(best)
        left = left[overlaps(boxes[best], boxes[left], of_smaller) <= overlap]
    return np.array(keep, int)


# --- networks


def pnet(weights, level):
    x = level[None]
    x = max_pool(prelu(convolve(x, weights[0:2]), weights[2]), 2, "same")
    x = prelu(convolve(x, weights[3:5]), weights[5])
    x = prelu(convolve(x, weights[6:8]), weights[8])
    return softmax(convolve(x, weights[11:13]))[0], convolve(x, weights[9:11])[0]


def rnet(weights, x):
    x = max_pool(prelu(convolve(x, weights[0:2]), weights[2]), 3, "same")
    x = max_pool(prelu(convolve(x, weights[3:5]), weights[5]), 3, "valid")
    x = prelu(convolve(x, weights[6:8]), weights[8])
    x = prelu(dense(flatten(x), weights[9:11]), weights[11])
    return softmax(dense(x, weights[14:16])), dense(x, weights[12:14])


def onet(weights, x):
    x = max_pool(prelu(convolve(x, weights[0:2]), weights[2]), 3, "same")
    x = max_pool(prelu(convolve(x, weights[3:5]), weights[5]), 3, "valid")
    x = max_pool(prelu(convolve(x, weights[6:8]), weights[8]), 2, "same")
    x = prelu(convolve(x, weights[9:11]), weights[11])
    x = prelu(dense(flatten(x), weights[12:14]), weights[14])
    points = dense(x, weights[17:19]).reshape(-1, 2, 5).transpose(0, 2, 1)
    return softmax(dense(x, weights[19:21])), dense(x, weights[15:17]), points


def convolve(x, layer):
    kernel, bias = (array.astype(float) for array in layer)
    windows = sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nyxcij,ijco->nyxo", windows, kernel, optimize=True) + bias


def dense(x, layer):
    kernel, bias = (array.astype(float) for array in layer)
    return x @ kernel + bias


def flatten(x):
    return x.transpose(0, 2, 1, 3).reshape(len(x), math.prod(x.shape[1:]))


def prelu(x, slope):
    return np.where(x > 0, x, x * slope.reshape(-1).astype(float))


def max_pool(x, size, padding):
    """Stride 2; 'same' covers all pixels, the odd one beyond falls to the bottom and right."""
    if padding == "same":
        total = [max((math.ceil(n / 2) - 1) * 2 + size - n, 0) for n in x.shape[1:3]]
        sides = [(t // 2, t - t // 2) for t in total]
        x = np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=-np.inf)
    windows = sliding_window_view(x, (size, size), axis=(1, 2))[:, ::2, ::2]
    return windows.max(axis=(-2, -1))


def softmax(logits):
    """The probability of the second of two classes."""
    return 1 / (1 + np.exp(logits[..., 0] - logits[..., 1]))
