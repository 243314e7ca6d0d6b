"""The storage of an evaluation: whole galleries, and nothing of them under a name on the disk."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from facewire_server.app.evaluate_gallery import temporary_storage
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.proof.model_contract import ModelContract

CONTRACT = ModelContract("c" * 64, 4, np.eye(4, dtype=np.float32))


async def test_templates_are_found_and_have_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = np.eye(3, CONTRACT.dimension, dtype=np.float32)
    with temporary_storage(CONTRACT) as storage:
        assert list(tmp_path.iterdir()) == []
        await storage.create_gallery("one", "")
        for number, row in enumerate(rows):
            who, result = NewIdentity(f"{number}", create=True), EnrollmentResult(f"{number:032x}")
            await storage.enroll("one", who, [result], row[None])
        await storage.delete_identity("one", "0")
        found = await storage.search("one", rows, 1)
        assert [best.identity_id for (best,) in found.candidates][1:] == ["1", "2"]
    assert list(tmp_path.iterdir()) == []
