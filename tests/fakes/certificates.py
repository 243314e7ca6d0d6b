"""Certificates for tests, which are skipped if there is no openssl."""

import shutil
from pathlib import Path

import pytest

from harness import certificates

__all__ = ["self_signed"]


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key, in files of the folder."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    return certificates.self_signed(folder)
