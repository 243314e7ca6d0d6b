"""All lent pictures of people after the server's line, for measurements of galleries that are drawn of them."""

import asyncio
from pathlib import Path

from facewire_server.app.evaluate_faces import labeled_samples
from facewire_server.app.values import read_model_contract
from facewire_server.configuration.settings import Settings
from facewire_server.evaluation.labels import LabeledPicture
from facewire_server.evaluation.samples import Samples
from facewire_server.proof.model_contract import ModelContract
from facewire_server.types import FaceSelection
from harness import REPOSITORY, pictures

__all__ = ["lent_samples"]


def lent_samples(embeddings: Path | None, count: int = 0) -> tuple[Samples, ModelContract]:
    """Returns what a server with default settings makes of the pictures, and its model contract.

    Args:
        embeddings: folder that keeps the faces, biometric data; None = none does.
        count: of people who are used; 0 = all.
    """
    settings = Settings(models=REPOSITORY / "models")
    contract = read_model_contract(settings.model_contract)
    samples = asyncio.run(
        labeled_samples(
            _lent_people(count),
            settings,
            contract,
            selection=FaceSelection.MOST_CENTRAL,
            embeddings=embeddings,
            progress=lambda _: None,
        )
    )
    return samples, contract


def _lent_people(count: int) -> tuple[LabeledPicture, ...]:
    """Returns all lent pictures of people; a person of LFW who is in both sets is one."""
    found: dict[str, list[LabeledPicture]] = {}
    groups = pictures.folder("groups")
    for row in pictures.rows(groups / "images.csv"):
        person = row["identity"].removeprefix("lfw_")
        one = LabeledPicture(groups / row["path"], row["path"], person, row["group"], None)
        found.setdefault(person, []).append(one)
    for folder in sorted((pictures.folder("verify") / "lfw").iterdir()):
        group = found[folder.name][0].group if folder.name in found else ""
        for path in sorted(folder.glob("*.jpg")):
            one = LabeledPicture(path, path.name, folder.name, group, None)
            found.setdefault(folder.name, []).append(one)
    return tuple(one for name in pictures.evenly(sorted(found), count) for one in found[name])
