"""What `calibrate` prints is what a model contract takes; labels that do not say who the people are are refused."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import facewire_server
from facewire_server.__main__ import main
from facewire_server.app import calibrate_command
from facewire_server.app.calibrate_command import entry_of
from facewire_server.app.values import read_model_contract
from facewire_server.evaluation.labels import LabeledPicture
from facewire_server.evaluation.samples import Gates, Samples, examined
from facewire_server.pipeline.acquire import Acquired
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.thresholds import Calibration
from facewire_server.types import Quality

SHIPPED = Path(facewire_server.__file__).parent / "model_contracts" / "sface.json"


def test_the_printed_entry_is_read_as_it_was_measured(tmp_path: Path) -> None:
    measured = Calibration.checked(
        0.0712, 0.0931, [(1e-2, 0.3011, 0.0113), (1e-3, 0.3702, 0.00129)], 1e-3
    )
    contract = json.loads(SHIPPED.read_text(encoding="utf-8"))
    contract["calibration"] = entry_of(measured)
    own = tmp_path / "own.json"
    own.write_text(json.dumps(contract), encoding="utf-8")
    assert read_model_contract(str(own)).calibration == measured


PEOPLE = 200


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The command with made faces in place of the models'; it takes the process's signals."""

    async def made_samples(pictures: tuple[LabeledPicture, ...], *_: object, **__: object):
        random = np.random.default_rng(1)
        gate = Gate(QualityLimits(min_inter_eye_px=10))
        rows = []
        for picture in pictures:
            face = random.normal(size=64) + 0.3  # all are a little alike
            unit = (face / np.linalg.norm(face)).astype(np.float32)
            good = Quality(40.0, 9.0, 99.0, directional_sharpness=9.0)
            acquired = Acquired(1, np.ones(4, np.float32), good, 1.0, 9.0, unit, unit)
            rows.append(examined(picture, acquired, Gates(gate, gate)))
        return Samples(rows, 64)

    monkeypatch.setattr(calibrate_command, "labeled_samples", made_samples)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield monkeypatch
    for number, handler in before.items():
        signal.signal(number, handler)


def run(command: pytest.MonkeyPatch, *arguments: object) -> int:
    command.setattr("sys.argv", ["facewire-server", "calibrate", *map(str, arguments)])
    return main()


def table(folder: Path, *rows: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_standard_output_is_the_entry_alone(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = table(tmp_path, "path,person", *(f"{n}.jpg,p{n}" for n in range(PEOPLE)))
    assert run(command, labels) == 0
    printed = capsys.readouterr()
    contract = json.loads(SHIPPED.read_text(encoding="utf-8")) | json.loads(printed.out)
    own = tmp_path / "own.json"
    own.write_text(json.dumps(contract), encoding="utf-8")
    calibration = read_model_contract(str(own)).calibration
    assert calibration is not None
    assert [point.fmr for point in calibration.points] == [1e-2, 1e-3]
    assert f"{PEOPLE} people, one picture each; {PEOPLE * (PEOPLE - 1):,} comp" in printed.err
    assert "who is who" not in printed.err
    assert run(command, labels, "--seed", 1) == 0
    assert capsys.readouterr().out != printed.out, "the intervals are drawn"


def test_a_table_of_pairs_must_say_who_the_people_are(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [f"a/{n}.jpg,a/{n + 1}.jpg,0" for n in range(PEOPLE)]
    assert run(command, table(tmp_path, "path_a,path_b,same", *pairs)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "write person_a and person_b" in printed.err


def test_it_says_how_people_were_distinguished(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [f"p{n}/0.jpg,p{n + 1}/0.jpg,0" for n in range(PEOPLE - 1)]
    assert run(command, table(tmp_path, "path_a,path_b,same", *pairs)) == 0
    assert "who is who: each folder is taken for one person" in capsys.readouterr().err


def test_a_seed_below_zero_is_refused_at_once(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(command, tmp_path, "--seed", "-1")
    assert "-1 is below 0" in capsys.readouterr().err
