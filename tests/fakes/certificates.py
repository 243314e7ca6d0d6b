"""Certificates for tests, which are skipped if there is no openssl."""

import shutil
from pathlib import Path

import pytest

from harness import certificates

__all__ = ["self_signed"]


def self_signed(folder: Path, alternative: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """As of `harness.certificates`."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    return certificates.self_signed(folder, alternative)
