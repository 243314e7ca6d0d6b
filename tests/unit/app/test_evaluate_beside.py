"""Which models are measured side by side, and what is refused."""

import json
from pathlib import Path

import pytest

from facewire_server import model_contracts
from facewire_server.app.evaluate_beside import settings_beside
from facewire_server.configuration.settings import Settings, SettingsError

FACENET = "facenet_vggface2"


def test_each_model_runs_under_the_settings_of_the_server() -> None:
    settings = Settings(max_fpir=0.01)
    assert settings_beside(settings, []) == []
    assert settings_beside(settings, [FACENET, "facenet_casia"]) == [
        Settings(max_fpir=0.01, model_contract=FACENET),
        Settings(max_fpir=0.01, model_contract="facenet_casia"),
    ]


@pytest.mark.parametrize(
    ("settings", "contracts", "said"),
    [
        (Settings(), ["sface"], "--beside sface is the model sface, which is measured already"),
        (Settings(), [FACENET, FACENET], f"--beside {FACENET} is the model {FACENET}"),
        (Settings(), ["gone.json"], "gone.json"),
        (Settings(), ["w600k_mbf"], "forbids commercial use"),
        (Settings(), [FACENET] * 6, "--beside names 6 model contracts: 5 is the most"),
        (Settings(threshold=0.4), [FACENET], "threshold is set"),
        (Settings(min_norm=5.0), [FACENET], "min_norm is set"),
        (Settings(enroll_min_norm=7.0), [FACENET], "enroll_min_norm is set"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    settings: Settings, contracts: list[str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        settings_beside(settings, contracts)


def test_a_limit_that_is_off_for_every_model_is_none_of_one_model() -> None:
    assert settings_beside(Settings(min_norm=0.0, enroll_min_norm=0.0), [FACENET])


def test_use_that_is_not_commercial_is_said_once_for_all_models() -> None:
    (other,) = settings_beside(Settings(accept_non_commercial=True), ["w600k_mbf"])
    assert other.accept_non_commercial


def test_a_file_with_the_contract_in_force_is_the_same_model(tmp_path: Path) -> None:
    shipped = Path(model_contracts.__path__[0]) / "sface.json"
    copy = tmp_path / "copy.json"
    copy.write_text(json.dumps(json.loads(shipped.read_text())))
    with pytest.raises(SettingsError, match=r"copy.json is the model sface"):
        settings_beside(Settings(), [str(copy)])
