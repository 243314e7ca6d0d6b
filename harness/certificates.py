"""Certificates, made by openssl."""

import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["expired", "self_signed", "signed"]

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def self_signed(folder: Path, alternative: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """A certificate and its key, in files of the folder.

    Args:
        folder: for both.
        alternative: the names and addresses that it is made out to, as openssl takes them: "DNS:one,IP:127.0.0.1".

    Raises:
        FileNotFoundError: there is no openssl.
    """
    files = folder / "certificate.pem", folder / "key.pem"
    first = alternative.split(",")[0].partition(":")[2]
    _openssl(
        *("req", "-x509", *_KEY, "-days", "1", "-subj", f"/CN={first}"),
        *("-addext", f"subjectAltName={alternative}", "-out", files[0], "-keyout", files[1]),
    )
    return files


def signed(
    folder: Path,
    name: str,
    authority: tuple[Path, Path],
    alternative: str = "",
    expires: datetime | None = None,
) -> tuple[Path, Path]:
    """A client's certificate and its key, signed by an authority: its certificate and key; for a day, or until `expires`."""
    certificate, key, request = (folder / f"{name}{end}" for end in (".pem", "-key.pem", ".csr"))
    names = folder / f"{name}-names"
    names.write_text(f"subjectAltName={alternative}\n" if alternative else "")
    _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-out", request, "-keyout", key)
    if expires is not None:
        _signed_until(expires, request, authority, names, certificate)
        return certificate, key
    by = ("-CA", authority[0], "-CAkey", authority[1], "-CAcreateserial", "-days", "1")
    _openssl("x509", "-req", "-in", request, *by, "-extfile", names, "-out", certificate)
    return certificate, key


def _signed_until(
    expires: datetime, request: Path, authority: tuple[Path, Path], names: Path, certificate: Path
) -> None:
    """By `openssl ca`, which takes a time to the second, unlike `openssl x509` before 3.4."""
    with tempfile.TemporaryDirectory() as scratch:
        index, settings = Path(scratch) / "index", Path(scratch) / "settings"
        index.touch()
        settings.write_text(
            "[ca]\ndefault_ca = ours\n[ours]\n"
            f"database = {index}\nnew_certs_dir = {scratch}\nrand_serial = yes\n"
            "default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n"
        )
        end = expires.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")
        by = ("-cert", authority[0], "-keyfile", authority[1], "-enddate", end, "-extfile", names)
        _openssl(
            *("ca", "-batch", "-notext", "-config", settings, "-in", request, *by),
            *("-out", certificate),
        )


def expired(folder: Path) -> tuple[Path, Path]:
    """The same of 127.0.0.1, which was valid until yesterday."""
    certificate, key, request = (folder / name for name in ("old.pem", "old-key.pem", "old.csr"))
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    _openssl("req", "-new", *_KEY, "-subj", "/CN=127.0.0.1", "-out", request, "-keyout", key)
    signing: list[str | Path] = [
        "x509",
        "-req",
        "-in",
        request,
        "-signkey",
        key,
        "-extfile",
        names,
        "-out",
        certificate,
    ]
    try:
        _openssl(*signing, "-days", "-1")
    except subprocess.CalledProcessError:  # OpenSSL 3.4 and newer take dates in its place
        _openssl(*signing, "-not_before", "20200101000000Z", "-not_after", "20200201000000Z")
    return certificate, key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
