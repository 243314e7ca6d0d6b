"""What `calibrate` prints is what a model contract takes."""

import json
from pathlib import Path

import facewire_server
from facewire_server.app.calibrate_command import entry_of
from facewire_server.app.values import read_model_contract
from facewire_server.thresholds import Calibration

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
