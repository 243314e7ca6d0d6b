"""Certificates, made by openssl."""

import subprocess
from pathlib import Path

__all__ = ["self_signed"]


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Makes a certificate of 127.0.0.1 for a day, and its key, in files of the folder.

    Raises:
        FileNotFoundError: there is no openssl.
    """
    files = folder / "certificate.pem", folder / "key.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    where = ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(["openssl", *request.split(), *name, *where], check=True, capture_output=True)
    return files
