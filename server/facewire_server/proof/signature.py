"""The tensors of each servable; `serving/README.md` documents the meaning of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEFAULT_SIGNATURE",
    "FOLLOW",
    "MOST_ROWS",
    "MTCNN",
    "PRESENTATION_ATTACK",
    "Signature",
    "TensorSpec",
    "embedding",
]

DEFAULT_SIGNATURE: Final = "serving_default"
"""The signature that TensorFlow Serving calls if a request names none."""

MOST_ROWS: Final = 1024
"""Longest free dimension of an output. Chosen, not measured: twice the most faces that the cascade returns, far more
than the crops of one prediction."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor.

    Attributes:
        dtype: numpy's name of its type.
        shape: its dimensions; None = any length.
    """

    dtype: str
    shape: tuple[int | None, ...]

    def accepts(self, other: "TensorSpec") -> bool:
        """Whether a tensor declared as `other` may be of this kind: a free length fits any."""
        return (
            self.dtype == other.dtype
            and len(self.shape) == len(other.shape)
            and all(
                None in pair or len({*pair}) == 1
                for pair in zip(self.shape, other.shape, strict=True)
            )
        )

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join('?' if one is None else str(one) for one in self.shape)}]"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a servable: its tensors.

    Attributes:
        inputs, outputs: the tensors by name.
        name: `model_spec.signature_name`; a servable may have several signatures.
        optional: names of outputs that a servable may lack, since earlier ones did.
        rows_of: the input that has as many rows as each output; "" = the input does not say how many.
    """

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    name: str = DEFAULT_SIGNATURE
    optional: frozenset[str] = frozenset()
    rows_of: str = ""

    def fault(
        self, inputs: Mapping[str, NDArray], outputs: Mapping[str, NDArray[np.float32]]
    ) -> str:
        """Returns what is wrong with the outputs to some inputs, beyond their types and shapes; "" = nothing."""
        if missing := self.outputs.keys() - self.optional - outputs.keys():
            return f"no {', '.join(sorted(missing))}"
        counts = {name: len(one) for name, one in outputs.items()}
        if self.rows_of:
            counts[self.rows_of] = len(inputs[self.rows_of])
        if len(set(counts.values())) > 1:
            return f"different numbers of rows: {counts}"
        infinite = sorted(name for name, one in outputs.items() if not np.isfinite(one).all())
        return f"numbers in {', '.join(infinite)} that are not finite" if infinite else ""

    def accepts(self, other: "Signature") -> bool:
        """Whether a servable declared as `other` takes exactly these inputs and has these outputs.

        An optional output may be absent, and must be of its kind if it is there.
        """
        return (
            self.inputs.keys() == other.inputs.keys()
            and self.outputs.keys() - self.optional <= other.outputs.keys()
            and all(spec.accepts(other.inputs[name]) for name, spec in self.inputs.items())
            and all(
                spec.accepts(other.outputs[name])
                for name, spec in self.outputs.items()
                if name in other.outputs
            )
        )

    def __str__(self) -> str:
        inputs, outputs = (
            ", ".join(
                f"{'optional ' if name in self.optional else ''}{name}: {side[name]}"
                for name in sorted(side)
            )
            for side in (self.inputs, self.outputs)
        )
        return f"{self.name}({inputs}) -> ({outputs})"


MTCNN = Signature(
    inputs={
        "image": TensorSpec("uint8", (None, None, 3)),
        "min_face_px": TensorSpec("float32", ()),
        "thresholds": TensorSpec("float32", (3,)),
    },
    outputs={
        "boxes": TensorSpec("float32", (None, 4)),
        "scores": TensorSpec("float32", (None,)),
        "landmarks": TensorSpec("float32", (None, 5, 2)),
    },
)
"""The `mtcnn` servable's default signature, which searches a picture."""

FOLLOW = Signature(
    inputs={"image": MTCNN.inputs["image"], "boxes": MTCNN.outputs["boxes"]},
    outputs=MTCNN.outputs,
    name="follow",
    rows_of="boxes",
)
"""The `mtcnn` servable's second signature, which looks for a face in each window. Servables of 0.1 lack it."""


PRESENTATION_ATTACK = Signature(
    inputs={"faces": TensorSpec("uint8", (None, 80, 80, 3))},
    outputs={"log_odds": TensorSpec("float32", (None,))},
    rows_of="faces",
)
"""The `presentation_attack` servable."""


def embedding(dimension: int) -> Signature:
    """The `embedding` servable of a model contract of this dimension.

    Servables of 0.1 lack `norms`: they go on working, and the norm of an embedding is then unknown.
    """
    return Signature(
        inputs={"faces": TensorSpec("uint8", (None, 112, 112, 3))},
        outputs={
            "embeddings": TensorSpec("float32", (None, dimension)),
            "norms": TensorSpec("float32", (None,)),
        },
        optional=frozenset({"norms"}),
        rows_of="faces",
    )
