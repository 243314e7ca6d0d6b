"""The table of servables: signature, proof, and the setting with the address of each.

Rows of one servable share an address and a folder, and nothing else: each is called, proven and left out by itself, over a connection of
its own, so that a replica without a signature, or with a wrong one, loses the calls of that row alone. A further model, or a further signature of one, is a row here and a setting; `models.open_models` opens,
proves, watches and counts every row in the same way.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from facewire_server.pipeline.ports import Model
from facewire_server.proof import (
    attack_proof,
    detector_proof,
    follow_proof,
    model_contract,
    signature,
)
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.signature import Signature

__all__ = ["ATTACK_DETECTOR", "DETECTOR", "EMBEDDER", "FOLLOWER", "Servable", "servables"]

DETECTOR: Final = "mtcnn"
"""The label of the row whose model finds faces."""

FOLLOWER: Final = "mtcnn/follow"
"""The label of the row whose model follows faces."""

EMBEDDER: Final = "embedding"
"""The label of the row whose model embeds crops."""


ATTACK_DETECTOR: Final = "presentation_attack"
"""The label of the row whose model looks for presentation attacks."""


@dataclass(frozen=True, slots=True)
class Servable:
    """A row: one signature of one servable.

    Attributes:
        label: the row in messages and statistics: what it is for, whichever model does it.
        name: TensorFlow Serving's `--model_name`, and the folder of the SavedModel.
        signature: the signature that is called. Two rows of one name share an address and a folder.
        prove: shows a drawing to the model that it is called with; raises ModelUnavailable if the
            result is not the known one.
        address_setting: the setting with the addresses of its replicas; if that is empty, the
            servable runs in this process. "" = it always does.
        is_required: the server is not healthy without it; else it goes on without what the signature is for.
    """

    label: str
    name: str
    signature: Signature
    prove: Callable[[Model], Awaitable[None]]
    address_setting: str
    is_required: bool = True


def servables(
    contract: ModelContract, *, presentation_attacks: bool = False
) -> tuple[Servable, ...]:
    """Returns the rows for a server of this model contract, which looks for presentation attacks or does not."""
    attack_detector = Servable(
        ATTACK_DETECTOR, ATTACK_DETECTOR, signature.PRESENTATION_ATTACK, attack_proof.prove, ""
    )
    return (
        Servable(DETECTOR, DETECTOR, signature.MTCNN, detector_proof.prove, "detector_address"),
        Servable(
            FOLLOWER,
            DETECTOR,
            signature.FOLLOW,
            follow_proof.prove,
            "detector_address",
            is_required=False,  # servables of 0.1 lack it: every frame is then searched
        ),
        Servable(
            EMBEDDER,
            contract.servable,
            signature.embedding(contract.dimension),
            partial(model_contract.prove, contract=contract),
            "embedder_address",
        ),
        *([attack_detector] if presentation_attacks else []),
    )
