"""Which models an evaluation puts side by side: those of `--beside`, each under the settings of the server."""

from collections.abc import Sequence
from dataclasses import replace

from facewire_server.app.values import usable_model_contract
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.evaluation.charts import MOST_LINES

__all__ = ["settings_beside"]

_SCALES = ("threshold", "min_norm", "enroll_min_norm")
"""Settings in the scale of one model, if they are above 0."""


def settings_beside(settings: Settings, contracts: Sequence[str]) -> list[Settings]:
    """Returns the settings under which each further model is measured.

    Args:
        settings: of the server.
        contracts: names of model contracts, or files.

    Raises:
        SettingsError: a contract cannot be used, is that of `settings` or of another one; or there are too many for one chart; or a
            setting is in the scale of one model.
    """
    if not contracts:
        return []
    if len(contracts) >= MOST_LINES:
        raise SettingsError(
            f"--beside names {len(contracts)} model contracts: {MOST_LINES - 1} is the most"
        )
    for name in _SCALES:
        if getattr(settings, name) > 0:
            raise SettingsError(
                f"{name} is set, in the scale of one model: with --beside leave it to each model contract"
            )
    found = [settings, *(replace(settings, model_contract=each) for each in contracts)]
    names: dict[str, str] = {}
    for each in found:
        contract = usable_model_contract(each, each.model_contract)
        if contract.id in names:
            raise SettingsError(
                f"--beside {each.model_contract} is the model {names[contract.id]}, which is measured already"
            )
        names[contract.id] = each.model_contract
    return found[1:]
