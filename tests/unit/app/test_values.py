"""Settings become the values of the rooms."""

from dataclasses import replace

import pytest

from facewire_server.app.capacity import max_connections
from facewire_server.app.values import (
    enrollment_gate,
    probe_gate,
    read_model_contract,
    serving_limits,
    usable_model_contract,
)
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.proof.model_contract import ModelContract
from facewire_server.types import Quality, QualityFault

SFACE = read_model_contract("sface")
PLAIN = replace(SFACE, min_norm=0.0, enroll_min_norm=0.0)
OTHER = replace(SFACE, min_norm=0.2, enroll_min_norm=0.3)
FACE = Quality(40.0, 150.0, 110.0, directional_sharpness=50.0)


@pytest.mark.parametrize(
    ("setting", "open_files", "most"),
    [(1000, 1_048_576, 1000), (1000, 1024, 896), (20, 1024, 20), (1000, 64, 1)],
)
def test_connections_leave_files_for_the_rest(setting: int, open_files: int, most: int) -> None:
    assert max_connections(Settings(max_connections=setting), open_files) == most


def test_the_limits_of_calls_and_streams_are_the_settings() -> None:
    limits = serving_limits(
        Settings(max_calls_per_connection=7, request_timeout_s=1.5, stream_idle_timeout_s=60.0)
    )
    assert limits.max_calls_per_connection == 7
    assert (limits.request_timeout_s, limits.stream_idle_timeout_s) == (1.5, 60.0)


def test_a_non_commercial_model_runs_only_for_who_accepts_its_license() -> None:
    with pytest.raises(SettingsError, match=r"non-commercial research only.*accept_non_commercial"):
        usable_model_contract(Settings(), "w600k_mbf")
    accepted = usable_model_contract(Settings(accept_non_commercial=True), "w600k_mbf")
    assert accepted.servable == "w600k_mbf"
    for name in ("sface", "facenet_vggface2", "facenet_casia"):
        assert usable_model_contract(Settings(), name).non_commercial == ""


@pytest.mark.parametrize(
    ("contract", "of_probes", "of_templates"),
    [(SFACE, (4.9, 5.1), (7.4, 7.6)), (OTHER, (0.19, 0.21), (0.29, 0.31))],
)
def test_norms_are_in_the_scale_of_the_model_contract(
    contract: ModelContract, of_probes: tuple[float, float], of_templates: tuple[float, float]
) -> None:
    settings = Settings()
    for make, (below, above) in ((probe_gate, of_probes), (enrollment_gate, of_templates)):
        gate = make(settings, contract)
        assert QualityFault.UNRECOGNIZABLE in gate.examine(FACE, norm=below).quality.faults
        assert gate.examine(FACE, norm=above).quality.faults == ()


def test_a_contract_without_norms_asks_for_none_and_a_setting_counts_for_every_contract() -> None:
    for contract in (SFACE, PLAIN):
        off = Settings(min_norm=0.0, enroll_min_norm=0.0)
        on = Settings(min_norm=20.0, enroll_min_norm=20.0)
        for make in (probe_gate, enrollment_gate):
            assert make(off, contract).examine(FACE, norm=0.01).objections == ()
            assert len(make(on, contract).examine(FACE, norm=19.0).objections) == 1
    for make in (probe_gate, enrollment_gate):
        assert make(Settings(), PLAIN).examine(FACE, norm=0.01).objections == ()
