"""Writes the model contract of SFace: its identity, and the canary's golden embeddings.

The golden embeddings are those of the published ONNX file in ONNX Runtime, so they depend neither on the
exporter nor on an engine of this project. Run in the models'
environment, from the repository root:

    PYTHONPATH=serving:server python tools/make_model_contract.py
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from facewire_server.proof import canary
from facewire_serving import weights

__all__ = [
    "BFLOAT16",
    "CALIBRATION",
    "ENROLL_MIN_NORM",
    "MIN_NORM",
    "MODEL_CONTRACT",
    "golden",
    "main",
]

MODEL_CONTRACT = Path(__file__).parents[1] / "server/facewire_server/model_contracts/sface.json"


MIN_NORM = 5.0
"""Smallest length of an embedding, before it is normalized, of a face to recognize: no face below it was ever named
rightly (decision 21)."""

ENROLL_MIN_NORM = 7.5
"""Smallest such length of a face to enroll: below the lowest hundredth of every group, 8.2 to 10.4 (decision 21)."""


BFLOAT16 = {"min_cosine": 0.9985, "similarity_error": 0.03, "norm_error": 0.02}
"""How far embeddings in bfloat16 may lie from those in float32 (decision 35, `python -m bench.frame_precision`)."""


CALIBRATION = {
    "mean": 0.1036,
    "spread": 0.0869,
    "points": [
        {"fmr": 1e-2, "similarity": 0.305, "fmr_bound": 1.06e-2},
        {"fmr": 1e-3, "similarity": 0.371, "fmr_bound": 1.12e-3},
        {"fmr": 1e-4, "similarity": 0.426, "fmr_bound": 1.38e-4},
        {"fmr": 1e-5, "similarity": 0.473, "fmr_bound": 2.1e-5},
        {"fmr": 1e-6, "similarity": 0.523, "fmr_bound": 4e-6},
        {"fmr": 1e-7, "similarity": 0.572, "fmr_bound": 1e-6},
    ],
    "measured_to_fmr": 1e-6,
}
"""How often two different people are how similar: 33 million comparisons of 5,749 people of LFW, each of a picture with a
template of it and its mirror image. Bounds: the upper ends of 95 % intervals of 1,222 other selections of it, bootstrapped over people
(`python -m bench.calibration`); those of the last two points, of 33 and 3 comparisons, are chosen, and what is rarer than 1e-6 counts as
extrapolated (decision 57)."""


def golden(onnx_file: Path) -> NDArray[np.float64]:
    """Embeds the canary crops with the published network; (4, 128), unit length."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # The file lists its constants as inputs: a warning for each.
    session = onnxruntime.InferenceSession(onnx_file, options)
    pixels = canary.crops().transpose(0, 3, 1, 2).astype(np.float32)
    # The file takes one crop at a time.
    vectors = np.concatenate([session.run(None, {"data": crop[None]})[0] for crop in pixels])
    exact = vectors.astype(np.float64)
    unit: NDArray[np.float64] = exact / np.linalg.norm(exact, axis=1, keepdims=True)
    return unit


def main() -> None:
    """Writes the file that `MODEL_CONTRACT` names."""
    vectors = golden(weights.sface_onnx(weights.DEFAULT_CACHE))
    document = {
        "contract": {
            "weights_sha256": weights.SFACE.sha256,
            "dimension": vectors.shape[1],
            "alignment_template": "arcface-112-v1",
            "crop_px": canary.crops().shape[1],
            "resampling": "area-then-bilinear-v1",
            "preprocessing": "sface-rgb-0-255-v1",
        },
        "min_norm": MIN_NORM,
        "enroll_min_norm": ENROLL_MIN_NORM,
        "bfloat16": BFLOAT16,
        "calibration": CALIBRATION,
        # Not made here: `python -m bench.upside_down` measures it on the lent pictures.
        "upside_down": json.loads(MODEL_CONTRACT.read_text(encoding="utf-8"))["upside_down"],
        "canary": {"golden": [[float(f"{value:.7g}") for value in row] for row in vectors]},
    }
    MODEL_CONTRACT.parent.mkdir(parents=True, exist_ok=True)
    MODEL_CONTRACT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
