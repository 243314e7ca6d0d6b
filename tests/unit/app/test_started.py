"""What the first entry of the log says of settings, engines and processors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facewire_server.app.started import server_started
from facewire_server.configuration.settings import Settings
from facewire_server.events import ServerStarted
from facewire_server.galleries.records import GallerySize, StoreStatistics
from facewire_server.host.processors import Processors
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.opened import EMBEDDED, ModelStatistics
from fakes.error_rates import by_size

USABLE = Processors(4, None)


def model(name: str, runs_at: str) -> ModelStatistics:
    counts = {
        "ok": 0,
        "unavailable": 0,
        "timed_out": 0,
        "cancelled": 0,
        "retried": 0,
        "repeated": 0,
        "declined": 0,
        "in_flight": 0,
        "waiting": 0,
        "faces": 0,
    }
    return ModelStatistics(
        name=name,
        runs_at=runs_at,
        replica_count=1,
        left_out_count=0,
        proven_versions=(1,),
        healthy=True,
        refusal="",
        total_s=0.0,
        **counts,
    )


CONTRACT = ModelContract("c" * 64, 2, np.zeros((4, 2), np.float32))


GALLERIES = StoreStatistics(
    file_bytes=0,
    used_bytes=0,
    map_bytes=0,
    max_bytes=0,
    reader_count=0,
    galleries=(GallerySize("default", 1, 20, 40), GallerySize("cellar", 2, 3, 4)),
)


def started(
    settings: Settings,
    usable: Processors = USABLE,
    contract: ModelContract = CONTRACT,
    *,
    is_new: bool = False,
) -> ServerStarted:
    return server_started(
        settings,
        contract,
        [model("mtcnn", EMBEDDED), model("embedding", "10.0.0.7:8500")],
        usable,
        GALLERIES,
        galleries_are_new=is_new,
        pictures_at_once=5,
        max_calls=128,
        max_connections=896,
    )


@pytest.mark.parametrize(
    ("threads", "usable", "count", "reason"),
    [
        (0, Processors(4, None), 4, "affinity 4, quota none"),
        (0, Processors(4, 1.5), 2, "affinity 4, quota 1.5"),
        (3, Processors(4, 1.5), 3, "set"),
    ],
)
def test_it_says_why_there_are_as_many_processors(
    threads: int, usable: Processors, count: int, reason: str
) -> None:
    event = started(Settings(threads=threads), usable)
    assert (event.processors, event.processors_reason) == (count, reason)


def test_it_says_which_threshold_is_in_force_and_why() -> None:
    rates = by_size((10, 0.42), (10_000, 0.549))
    calibrated = replace(CONTRACT, calibration=rates.calibration)
    assert started(Settings(threshold=0.5), contract=calibrated).threshold == "0.5, set"
    wanted = Settings(max_fpir=rates.max_fpir, compare_max_fmr=rates.max_fmr)
    assert started(wanted, contract=calibrated).threshold == (
        "of each gallery by its people, for a max_fpir of 0.01: about 0.420 among 10, 0.549 among 10000"
    )
    alarms = Settings(false_alarms_a_month=30.4375, strangers_a_day=100.0)
    assert "a max_fpir of 0.01:" in started(alarms, contract=calibrated).threshold
    assert "the model contract has no calibration" in started(Settings()).threshold


def test_it_says_which_folder_the_galleries_are_in_and_who_is_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("elsewhere")
    folder = str(tmp_path.resolve())
    found = {"folder": f"{folder}/data", "is_new": False, "people": 23}
    assert started(Settings(data=Path("data"))).data == found
    linked = started(Settings(data=Path("link")), is_new=True).data
    assert linked == {"folder": f"{folder}/elsewhere", "is_new": True, "people": 23}


def test_it_says_where_each_model_runs() -> None:
    here, there = "OpenVINO in this process", "TensorFlow Serving at 10.0.0.7:8500"
    assert started(Settings()).engines == {"mtcnn": here, "embedding": there}
    over_tls = started(Settings(models_tls_ca=Path("ca.pem"))).engines
    assert over_tls == {"mtcnn": here, "embedding": f"{there} over TLS"}


def test_it_has_every_setting_and_names_those_that_were_changed() -> None:
    event = started(Settings(max_streams=7))
    assert len(event.settings) == len(Settings().described())
    assert event.changed_settings == ("FACEWIRE_MAX_STREAMS",)
    assert event.limits["max_streams"] == 7
    assert event.limits["pictures_at_once"] == 5
    assert event.limits["max_connections"] == 896


def test_a_token_is_a_path_and_a_password_of_a_url_is_hidden(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret")
    event = started(Settings(token_file=token, detector_address="https://ada:s3cret@host:1"))
    assert event.settings["FACEWIRE_TOKEN_FILE"] == str(token)
    assert event.settings["FACEWIRE_DETECTOR_ADDRESS"] == "https://...@host:1"
    assert "s3cret" not in repr(event)
