"""The command `facewire-server reembed`: all galleries under another model contract, from the crops that they keep."""

import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from facewire_server.app.command_lines import keep_revisions
from facewire_server.app.crops_command import opened_storage
from facewire_server.app.gallery_files import show_progress
from facewire_server.app.values import crop_keys, model_addresses, usable_model_contract
from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.backups import back_up
from facewire_server.backends.lmdb_gallery.erasure import erase_deleted
from facewire_server.backends.lmdb_gallery.kept_crops import require_keys
from facewire_server.backends.lmdb_gallery.reembedding import (
    Lacking,
    NotEmbedded,
    Target,
    forget_deleted,
    lacking,
    negative_example_count,
    old_galleries,
    rewrite,
    waiting_crops,
)
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.erasing import NotErased
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.new_vectors import NewVectors, erase_interrupted
from facewire_server.configuration.credentials import read_file
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.errors import ServerError
from facewire_server.host.processors import usable_processors
from facewire_server.models import open_models
from facewire_server.pipeline.embed import Embedder
from facewire_server.proof.model_contract import ModelContract

__all__ = ["PeopleLacking", "run_reembed_command"]

_ROUNDS: Final = 10
"""Most times that what was enrolled meanwhile is embedded before the switch is tried again. Chosen, not measured: each round takes less
than the one before."""


class PeopleLacking(Exception):
    """People would lose templates, and the command line does not allow it; the text says what to do."""


async def run_reembed_command(
    settings: Settings,
    *,
    contract: str,
    backup: Path,
    report: Path | None,
    drop: bool,
) -> str:
    """Embeds every kept crop with the new model, and switches to the next generation; returns what to print.

    Args:
        settings: of the server: its data and keys, and where the new model runs.
        contract: the new model contract, as the setting `model_contract` names it.
        backup: folder of the backup that is made before the switch; one that an interrupted run has made is made again.
        report: file that takes who lacks crops; None = standard output does.
        drop: switch, though people lack crops.

    Raises:
        PeopleLacking: there are such people, and `drop` is not set. Nothing was changed.
        SettingsError: a setting cannot be used.
        ServerError, OSError: the text says why. Nothing was changed, and what was embedded is kept for the next call.
    """
    new = usable_model_contract(settings, contract)
    target = Target(new.id, new.dimension)
    keys = crop_keys(settings)
    with closing(opened_storage(settings)) as environment:
        with environment.read() as transaction:
            is_left = bool(old_galleries(transaction, target))
            dropped = negative_example_count(transaction, target)
            if is_left:
                _require_keys(transaction, keys)
        if is_left:
            _report(list(lacking(environment, target)), report, is_allowed=drop)
            if dropped:
                print(
                    f"facewire-server: negative examples that go, since no picture of them is kept: {dropped}",
                    file=sys.stderr,
                )
    if not is_left:
        if erase_interrupted(settings.data):  # of a run that was killed after the switch
            keep_revisions(settings, "reembed")
        return f"all galleries are of {contract} already"
    with NewVectors(settings.data, new.id) as made:
        if backup.exists() and not made.has_noted(backup.absolute()):
            raise OSError(f"{backup} exists: name a folder that does not")
        await _embed_and_switch(settings, new, keys, made, backup)
        keep_revisions(settings, "reembed")
        made.erase()
    return (
        f"all galleries are of {contract} now; the backup of before is {backup}\n"
        f"start every server with FACEWIRE_MODEL_CONTRACT={contract}"
    )


def _require_keys(transaction: Transaction, keys: CropKeys | None) -> None:
    """Raises SettingsError if crops are kept and there are no keys, and what `require_keys` raises."""
    if keys is not None:
        require_keys(transaction, keys)
    elif transaction.count("crops"):
        raise SettingsError("enrollment_crop_key_file is not set: name the file of the crops' key")


def _report(people: Sequence[Lacking], report: Path | None, *, is_allowed: bool) -> None:
    """Writes who lacks crops; raises PeopleLacking if that is not allowed."""
    if not people:
        return
    lost = sum(not one.crop_count for one in people)
    lines = [
        f"{one.gallery_id}\t{one.identity_id}\t{one.display_name}\t{one.crop_count} of {one.template_count}\n"
        for one in people
    ]
    text = "gallery\tid\tname\ttemplates with a crop\n" + "".join(lines)
    if report is None:
        print(text, end="", flush=True)
    else:
        report.touch(mode=0o600)
        report.write_text(text, encoding="utf-8")
    summary = f"people without a crop, to be enrolled again: {lost}; with a part of their templates: {len(people) - lost}"
    if not is_allowed:
        raise PeopleLacking(
            f"{summary}. Nothing was changed; with --drop templates without a crop go, and their people stay"
        )
    print(f"facewire-server: {summary}", file=sys.stderr)


async def _embed_and_switch(
    settings: Settings,
    contract: ModelContract,
    keys: CropKeys | None,
    made: NewVectors,
    backup: Path,
) -> None:
    target = Target(contract.id, contract.dimension)
    async with open_models(
        contract,
        folder=settings.models,
        threads=settings.threads or usable_processors().count,
        addresses=model_addresses(settings, contract),
        tls_ca=read_file(settings.models_tls_ca),
    ) as models:
        with closing(opened_storage(settings)) as environment:
            await _embed(environment, target, keys, made, models.embedder)
        made.note_backup(backup.absolute())
        # It opens the storage itself. The backup of a run that was killed afterwards has not who was enrolled since.
        back_up(settings.data / "gallery", backup, show_progress, is_replacing=True)
        with closing(opened_storage(settings)) as environment:
            for _ in range(_ROUNDS):
                forget_deleted(environment, made)
                try:
                    environment.switch(lambda step: rewrite(step, target, made))
                except NotEmbedded:
                    await _embed(environment, target, keys, made, models.embedder)
                    continue
                except NotErased:  # a server tries again
                    return
                with suppress(
                    ServerError, NotErased
                ):  # then a server does it within `erase_within_s`
                    erase_deleted(environment)
                return
    raise OSError(
        "people are enrolled faster than they are embedded: run this again when fewer are"
    )


async def _embed(
    environment: Environment,
    target: Target,
    keys: CropKeys | None,
    made: NewVectors,
    embedder: Embedder,
) -> None:
    """Embeds what has no embedding yet, as an enrollment does; what is done survives the end of the process."""
    if keys is None:
        return  # no crop is kept
    for share, batch in waiting_crops(environment, target, keys, made):
        embeddings, norms = await embedder.embed_mirrored(batch.crops)
        made.add(batch.gallery_id, batch.template_ids, embeddings, norms)
        show_progress(share)
