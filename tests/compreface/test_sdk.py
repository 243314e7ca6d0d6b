"""The official SDK of CompreFace works as with CompreFace."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.compreface_calls import address_of

pytestmark = pytest.mark.skipif(
    not find_spec("requests_toolbelt"), reason="needs the SDK of requirements/compreface.txt"
)


def test_the_official_sdk_adds_recognizes_verifies_and_deletes(
    console, key, people, tmp_path
) -> None:
    for name in ("ada", "ada_again", "bo"):
        (tmp_path / f"{name}.jpg").write_bytes(getattr(people, name))
    port = address_of(console).rpartition(":")[2]
    script = Path(__file__).with_name("sdk_session.py")
    finished = subprocess.run(
        [sys.executable, str(script), port, key, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    done = json.loads(finished.stdout)
    image_id = done["added"]["image_id"]
    assert done["made"] == {"subject": "bo"}
    assert done["added"]["subject"] == "ada"
    assert sorted(done["subjects"]["subjects"]) == ["ada", "bo"]
    assert done["listed"]["total_elements"] == 2
    (face,) = done["recognized"]["result"]
    assert [each["subject"] for each in face["subjects"]] == ["ada", "bo"]
    assert face["subjects"][0]["similarity"] >= 0.6 > 0.4 > face["subjects"][1]["similarity"]
    assert len(face["landmarks"]) == 5
    (verified,) = done["verified"]["result"]
    assert verified["face_matches"][0]["similarity"] >= 0.6
    assert done["verified_example"]["result"][0]["similarity"] >= 0.6
    assert len(done["detected"]["result"]) == 1
    assert done["renamed"] == {"updated": True}
    assert done["recognized_again"]["result"][0]["subjects"][0]["subject"] == "Ada Lovelace"
    assert done["deleted"] == {"image_id": image_id, "subject": "Ada Lovelace"}
    assert done["deleted_all"] == {"deleted": 1}
    assert done["emptied"]["code"] == 32  # only if a setting allows it
    assert done["left"] == {"subjects": []}
