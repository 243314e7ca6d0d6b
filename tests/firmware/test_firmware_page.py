"""The programs of docs/firmware.md are built as they stand there, and the one in C++ greets a person."""

import re
import subprocess
from pathlib import Path

import pytest

import facewire
from fakes.certificates import self_signed
from harness.film_scenes import steady
from harness.made_people import made_pair, portrait_of
from harness.running import running_server

pytestmark = pytest.mark.timeout(900)  # the first test builds the client

PERSON = made_pair()[0]
TOKEN = "s3cret-0123456789"

SENSOR = """
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
std::optional<std::string> take_picture();
std::optional<std::string> take_picture() {
  static int number = 0;
  std::ifstream file("film/" + std::to_string(number++) + ".jpg", std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}
"""
"""The one function that the page leaves to its reader."""

PROJECT = """
cmake_minimum_required(VERSION 3.18)
project(door LANGUAGES CXX)
find_package(facewire_camera 0.1 REQUIRED)
add_executable(door door.cc sensor.cc)
target_link_libraries(door PRIVATE facewire::camera)
"""
"""What the page's own project does with a checkout, with the installed library."""


def blocks(repository: Path, language: str) -> list[str]:
    page = (repository / "docs" / "firmware.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)


def compiled(code: str, cpp: Path, folder: Path) -> Path:
    """Builds a block with the library as it is installed; returns the program."""
    installed = run("cmake", "--install", cpp, "--prefix", folder / "installed", cwd=folder)
    assert installed.returncode == 0, installed.stderr
    assert run(folder / "installed/bin/facewire-camera", "--help", cwd=folder).returncode == 0
    (folder / "door.cc").write_text(code)
    (folder / "sensor.cc").write_text(SENSOR)
    (folder / "CMakeLists.txt").write_text(PROJECT)
    flags = "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror -Wpedantic -O1"
    made = run(
        "cmake", "-B", "build", flags, f"-DCMAKE_PREFIX_PATH={folder / 'installed'}", cwd=folder
    )
    assert made.returncode == 0, made.stderr
    built = run("cmake", "--build", "build", cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "build" / "door"


def page_and_source(repository: Path, name: str) -> tuple[str, str]:
    page = (repository / "docs" / "firmware.md").read_text(encoding="utf-8")
    return page, (repository / "clients" / "cpp" / "src" / name).read_text(encoding="utf-8")


def test_the_numbers_of_the_page_are_those_of_the_library(repository: Path) -> None:
    page, call = page_and_source(repository, "call.cc")
    rows = dict(
        re.findall(r"^\| `(GRPC_ARG_\w+)` \| ([\d,]+(?: to [\d,]+)?) \|", page, re.MULTILINE)
    )
    constants = {name: int(value.replace("'", "")) for name, value in re.findall(r"constexpr int (\w+) = ([\d']+);", call)}  # fmt: skip
    given = dict(re.findall(r"SetInt\((GRPC_ARG_\w+), (\w+)\)", call))
    assert len(rows) == 4
    for argument, text in rows.items():
        least, _, most = text.replace(",", "").partition(" to ")
        value = constants[given[argument]] if given[argument] in constants else int(given[argument])
        assert int(least) <= value <= int(most or least), argument
    _, backoff = page_and_source(repository, "backoff.h")
    first_ms, longest_ms = map(int, re.findall(r"milliseconds k\w+\{(\d+)\}", backoff))
    assert f"wait {first_ms // 1000} s before the first attempt" in page
    assert f"{longest_ms // 1000} s at most" in page
    _, reopening = page_and_source(repository, "reopening.h")
    assert "kBusyAttempts = 4;" in reopening
    assert "after the fourth time" in page


def test_what_the_page_says_to_try_again_is_what_the_library_does(repository: Path) -> None:
    page, status = page_and_source(repository, "status.cc")
    rows = [row.split(" | ") for row in page.partition("## When it ends")[2].partition("*Back off*")[0].splitlines()]  # fmt: skip
    again = [
        row for row in rows if len(row) == 3 and re.match("back off|at once, on|open a", row[2])
    ]
    reasons = {
        name for row in again for name in re.findall(r"`(\w+)`", row[0].partition(" with ")[2])
    }
    (of_connections,) = [row[0] for row in again if row[0].startswith("| without a reason")]
    assert reasons == set(re.findall(r"case v1::ERROR_REASON_(\w+):", status))
    assert set(re.findall(r"`(\w+)`", of_connections)) == set(
        re.findall(r"case grpc::StatusCode::(\w+):", status)
    )


def test_the_program_of_the_page_in_c_is_the_one_that_is_tested(repository: Path) -> None:
    page = (repository / "docs" / "firmware-c.md").read_text(encoding="utf-8")
    program = (repository / "clients" / "nanopb" / "camera.c").read_text(encoding="utf-8")
    section = page.partition("## A complete program\n")[2].partition("\n## ")[0]
    assert re.findall(r"^```c\n(.*?)^```$", section, re.DOTALL | re.MULTILINE) == [program]


def test_each_road_of_the_first_table_leads_to_its_section(repository: Path) -> None:
    """On this page, or on the page for C: a board without HTTP/2 is sent to the console on both."""
    pages = {
        name: (repository / "docs" / name).read_text(encoding="utf-8")
        for name in ("firmware.md", "firmware-c.md")
    }
    for name, page in pages.items():
        for target, anchor in re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", page):
            if (target or name) in pages:
                headings = re.findall(r"^#+ (.+)$", pages[target or name], re.MULTILINE)
                anchors = {
                    re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings
                }
                assert anchor in anchors, f"{name}: {target}#{anchor}"
        (row,) = re.findall(r"^\|[^|]*HTTP/1\.1[^|]*\|([^|]*)\|$", page, re.MULTILINE)
        assert "console" in row
        assert "#without-http2)" in row


def test_the_page_has_one_program_and_one_project(repository: Path) -> None:
    assert len(blocks(repository, "cpp")) == len(blocks(repository, "cmake")) == 1


def test_the_program_of_the_page_greets_an_enrolled_person(cpp, models, repository, tmp_path):
    certificate = self_signed(tmp_path)
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    (tmp_path / "film").mkdir()
    film = steady([PERSON], until_s=4)
    for number, shot in enumerate(film.shots(film.times(5))):
        (tmp_path / "film" / f"{number}.jpg").write_bytes(shot.jpeg)
    secrets = {"tls_certificate": certificate[0], "tls_key": certificate[1], "token_file": token}
    with running_server(frame_timeout_s=60, **secrets) as server:
        with facewire.Client(
            server.address, token=TOKEN, root_certificates=certificate[0]
        ) as client:
            assert client.enroll(PERSON.name, [portrait_of(PERSON)]).pictures[0].accepted
        (code,) = blocks(repository, "cpp")
        for shown, real in (
            ("192.0.2.7:50051", server.address),
            ("/etc/facewire/token", str(token)),
            ("/etc/facewire/server.pem", str(certificate[0])),
            # A camera waits for its sensor; these pictures are all there at once.
            ("  facewire::Callbacks", "  options.when_full = facewire::WhenFull::kWait;\n  facewire::Callbacks"),
        ):  # fmt: skip
            assert shown in code
            code = code.replace(shown, real, 1)
        done = run(compiled(code, cpp, tmp_path), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"Good morning, {PERSON.name}\n"), done.stderr


def test_the_project_of_the_page_is_one_that_cmake_takes(cpp, repository, tmp_path):
    (project,) = blocks(repository, "cmake")
    (tmp_path / "CMakeLists.txt").write_text(project)
    (tmp_path / "door.cc").write_text(blocks(repository, "cpp")[0])
    (tmp_path / "sensor.cc").write_text(SENSOR)
    made = run("cmake", "-B", "build", f"-DFACEWIRE={repository}", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    targets = run("cmake", "--build", "build", "--target", "help", cwd=tmp_path)
    assert "door" in targets.stdout
