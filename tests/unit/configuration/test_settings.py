"""Settings come from flags, then variables, then a file, then defaults; a wrong one is reported."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from facewire_server.configuration import sources
from facewire_server.configuration.settings import Settings, SettingsError, all_settings
from fakes.python import PATHS

ODD = " two  words # no comment, 'quotes' \"double\" $HOME \\ = \t\x0c\u2028end "
"""Whatever may stand in a line of a file."""


def read(*flags: str, **environment: str) -> Settings:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    sources.add_flags(parser)
    return sources.read(parser.parse_args(flags), environment)


def run(
    command: str, *flags: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("FACEWIRE_")}
    return subprocess.run(
        [sys.executable, "-m", "facewire_server", command, *flags],
        env={**kept, "PYTHONPATH": PATHS, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.env"


def test_nothing_need_be_set() -> None:
    settings = read()
    assert settings.listen == "127.0.0.1:50051"
    assert settings.is_loopback


def test_flags_win_over_variables_and_variables_over_the_file(file: Path) -> None:
    file.write_text("FACEWIRE_MAX_STREAMS=5\nFACEWIRE_MAX_FACES=6\n")
    from_file = f"--env-file={file}"
    assert read(from_file).max_streams == 5
    assert read(from_file, FACEWIRE_MAX_STREAMS="7").max_streams == 7
    assert read(from_file, "--max-streams", "9", FACEWIRE_MAX_STREAMS="7").max_streams == 9
    assert read(from_file, FACEWIRE_MAX_STREAMS="7").max_faces == 6


def test_types_are_read() -> None:
    settings = read("--data", "x/y", "--threshold=0.5", "--insecure-listen", FACEWIRE_THREADS="3")
    assert (settings.data, settings.threshold, settings.threads) == (Path("x/y"), 0.5, 3)
    assert settings.insecure_listen is True
    assert read(FACEWIRE_INSECURE_LISTEN="no").insecure_listen is False


@pytest.mark.parametrize(
    ("flags", "reported"),
    [
        (("--max-streams", "many"), "--max-streams is 'many'; it must be a whole number"),
        (("--max-streams", "0"), "at least 1"),
        (("--threshold", "1.5"), "at most 1"),
        (("--threshold", "nan"), "at least"),
        (("--threshold", "0.001"), "must be 0 or at least 0.01"),
        (("--insecure-listen", "perhaps"), "true or false"),
        (("--threshold=0.5", "--max-fpir=0.01"), "set it or max_fpir"),
        (
            ("--threshold=0.5", "--false-alarms-a-month=1", "--strangers-a-day=9"),
            "set it or max_fpir",
        ),
        (("--max-fpir=0.01", "--false-alarms-a-month=1", "--strangers-a-day=9"), "set one of them"),
        (("--false-alarms-a-month=1",), "belong together"),
        (("--strangers-a-day=9",), "belong together"),
        (("--max-fpir", "0"), "at least 1e-09"),
        (("--max-fpir", "0.6"), "at most 0.5"),
        (("--compare-max-fmr", "0.6"), "at most 0.5"),
        (("--log-format", "xml"), "text or json"),
        (("--detector", "yunet"), "mtcnn or dlib"),
        (("--embed-frames", "float16"), "auto, float32 or bfloat16"),
        (("--embed-frames=bfloat16", "--embedder-address=tfs:8500"), "names a model server"),
        (("--tls-key", "key.pem"), "belong together"),
        (("--keep-enrollment-crops",), "name it by enrollment_crop_key_file"),
        (("--metrics-listen", "9464"), "metrics_listen is '9464'; it must be host:port"),
        (("--metrics-listen", "127.0.0.1:65536"), "with a port up to 65535"),
        (("--listen", "127.0.0.1:99999"), "listen is '127.0.0.1:99999'; it must be host:port"),
        (("--listen", "127.0.0.1"), "listen is '127.0.0.1'; it must be host:port"),
        (("--metrics-listen", ":9464"), "host:port"),
        (("--metrics-listen", "127.0.0.1:many"), "host:port"),
        (("--metrics-cameras", ",".join(map(str, range(257)))), "at most 256 cameras"),
        (("--metrics-cameras", "door,other"), "metrics_cameras names 'other'"),
        (("--trusted-proxies", "10.0.0.1,proxy.example"), "trusted_proxies names 'proxy.example'"),
        (("--trusted-proxies", "10.0.0.1/8"), "trusted_proxies names '10.0.0.1/8'"),
        (("--traces-endpoint", "collector:4317"), "must begin with http"),
        (("--traces-sample", "1.1"), "at most 1"),
    ],
)
def test_a_wrong_value_is_reported(flags: tuple[str, ...], reported: str) -> None:
    with pytest.raises(SettingsError, match=reported):
        read(*flags)


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:50051", "[::]:50051", "192.0.2.7:1", "camera-host:50051"]
)
def test_an_open_port_needs_tls_and_a_token(listen: str) -> None:
    with pytest.raises(SettingsError, match="token_file"):
        read("--listen", listen)
    secured = ("--tls-certificate", "c.pem", "--tls-key", "k.pem", "--token-file", "t")
    assert read("--listen", listen, *secured).listen == listen
    assert read("--listen", listen, "--insecure-listen").listen == listen
    with pytest.raises(SettingsError):
        read("--listen", listen, *secured[:4])


@pytest.mark.parametrize("listen", ["localhost:1", "127.0.0.9:1", "[::1]:1", "unix:/run/facewire"])
def test_loopback_needs_neither(listen: str) -> None:
    assert read("--listen", listen).is_loopback


def test_every_setting_is_described_with_its_value() -> None:
    described = {variable: value for variable, value, about in read("--max-faces", "5").described()}
    assert described["FACEWIRE_MAX_FACES"] == "5"
    assert described["FACEWIRE_TOKEN_FILE"] == ""
    assert len(described) == len(Settings.__dataclass_fields__)


def test_the_help_shows_default_and_bounds() -> None:
    shown = " ".join(run("run", "--help").stdout.split())
    assert "(default: 0.03; at least 0, at most 1)" in shown
    assert "(default: 16777216; at least 1024, at most 1073741824)" in shown
    assert "(default: data)" in shown


def test_an_empty_value_is_a_path_that_is_not_set() -> None:
    assert read("--models-tls-ca=", FACEWIRE_MODELS_TLS_CA="ca.pem").models_tls_ca is None
    with pytest.raises(SettingsError, match="FACEWIRE_DATA is empty"):
        read(FACEWIRE_DATA="")


ANOTHER = {int: "7", float: "0.71875", bool: "true", str: ODD, Path: ODD, Path | None: ODD}
EXCEPTIONS = {
    "FACEWIRE_LISTEN": "0.0.0.0:1",
    "FACEWIRE_MIN_SCORE": "0.9999999999999999",
    "FACEWIRE_TRUSTED_PROXIES": "10.0.0.0/8, ::1,unix",
    "FACEWIRE_LOG_FORMAT": "json",
    "FACEWIRE_MAX_FPIR": "0.25",
    "FACEWIRE_COMPARE_MAX_FMR": "0.25",
    "FACEWIRE_DETECTOR": "dlib",
    "FACEWIRE_EMBED_FRAMES": "float32",
    "FACEWIRE_METRICS_LISTEN": "127.0.0.1:9464",
    "FACEWIRE_TRACES_ENDPOINT": "http://collector:4317",
}
IN_PLACE_OF_MAX_FPIR = {"threshold", "false_alarms_a_month", "strangers_a_day"}
LARGE = (
    "gallery_max_bytes",
    "max_frame_bytes",
    "max_pixels",
    "max_stream_pixels",
    "max_held_bytes",
)


def is_default(settings: Settings, name: str) -> bool:
    return bool(getattr(settings, name) == getattr(Settings(), name))


@pytest.mark.parametrize("empty", [False, True])
def test_what_config_prints_reads_back(file: Path, empty: bool) -> None:
    values = {each.variable: ANOTHER[each.type] for each in all_settings()} | EXCEPTIONS
    values |= {f"FACEWIRE_{name.upper()}": str((1 << 29) + 1) for name in LARGE}
    values |= {f"FACEWIRE_{name.upper()}": "0" for name in IN_PLACE_OF_MAX_FPIR}
    if empty:
        values |= {each.variable: "" for each in all_settings() if each.type in (str, Path | None)}
        values |= {"FACEWIRE_LISTEN": "localhost:1", "FACEWIRE_LOG_FORMAT": "text"}
        values |= {"FACEWIRE_DETECTOR": "mtcnn", "FACEWIRE_MAX_FPIR": "0.003"}
        values |= {"FACEWIRE_FALSE_ALARMS_A_MONTH": "1.5", "FACEWIRE_STRANGERS_A_DAY": "2.5"}
        values |= {"FACEWIRE_EMBED_FRAMES": "bfloat16", "FACEWIRE_KEEP_ENROLLMENT_CROPS": "false"}
    printed = run("config", environment=values)
    assert (printed.returncode, printed.stderr) == (0, "")
    # As it was printed: text mode would turn some characters of the values into line breaks.
    file.write_bytes(printed.stdout.encode())
    settings = read(f"--env-file={file}")
    assert settings == read(**values)
    if not empty:
        same = {name for name in Settings.__dataclass_fields__ if is_default(settings, name)}
        assert same == IN_PLACE_OF_MAX_FPIR, "these would read back even if they were left out"
    assert run("config", f"--env-file={file}").stdout == printed.stdout


def as_docker_reads(text: str) -> dict[str, str]:
    """The rules of docker/cli, opts/file.go (parseKeyValueFile), for a file without bare names."""
    kept = [line.lstrip() for line in text.split("\n")]
    return dict(line.split("=", 1) for line in kept if line and not line.startswith("#"))


def test_docker_reads_the_same_from_what_config_prints() -> None:
    values = {each.variable: ODD for each in all_settings() if each.type is Path}
    printed = run("config", environment=values).stdout
    read_by_docker = as_docker_reads(printed)
    assert read_by_docker.items() >= values.items()
    assert len(read_by_docker) == len(all_settings())
    assert read(**read_by_docker) == read(**values)


def test_config_refuses_what_a_file_cannot_hold() -> None:
    done = run("config", "--data=two\nlines")
    assert (done.returncode, done.stdout) == (2, "")
    assert "FACEWIRE_DATA has a line break" in done.stderr
    done = run("config", environment={"FACEWIRE_DATA": os.fsdecode(b"\xff")})
    assert (done.returncode, done.stdout) == (2, "")
    assert "FACEWIRE_DATA is not UTF-8" in done.stderr


def test_comments_empty_lines_and_line_ends_of_windows_are_read_over(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf# one\r\n\r\n  FACEWIRE_MODELS=a # b \r\n")
    assert read(f"--env-file={file}").models == Path("a # b ")


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (b"FACEWIRE_DATA", "line 1: this is not NAME=value"),
        (b"\n=x", "line 2: this is not NAME=value"),
        (b"export FACEWIRE_DATA=x", "line 1: this is not NAME=value"),
        (b"FACEWIRE_DATA=x\nFACEWIRE_DATA=y", "line 2: FACEWIRE_DATA is set a second time"),
        (b"FACEWIRE_DATA=\xff", "is not UTF-8"),
        (b"FACEWIRE_THREADS=two", "settings.env: FACEWIRE_THREADS is 'two'; it must be a whole"),
        (b"FACEWIRE_THREAD=2", "settings.env: there is no setting FACEWIRE_THREAD; .*_THREADS"),
        (b"FACWIRE_DATA=x", "there is no setting FACWIRE_DATA; the nearest is FACEWIRE_DATA"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported(file: Path, text: bytes, reported: str) -> None:
    file.write_bytes(text)
    with pytest.raises(SettingsError, match=reported):
        read(f"--env-file={file}")


def test_a_file_that_is_not_there_is_reported(file: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read(f"--env-file={file}")


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("FACEWIRE_MAX_STREAM", "FACEWIRE_MAX_STREAMS"),
        ("FACEWIRE_CONTRACT", "FACEWIRE_MODEL_CONTRACT"),
        ("FACEWIRE_TLS_CERT", "FACEWIRE_TLS_CERTIFICATE"),
        ("FACEWIRE_INSECURE", "FACEWIRE_INSECURE_LISTEN"),
    ],
)
def test_an_unknown_variable_is_an_error_that_names_the_nearest(unknown: str, nearest: str) -> None:
    with pytest.raises(SettingsError, match=f"no setting {unknown}; the nearest is {nearest}$"):
        read(**{unknown: "1"})


@pytest.mark.parametrize("command", ["run", "health", "config"])
def test_a_wrong_setting_ends_every_command_with_2(command: str) -> None:
    done = run(command, environment={"FACEWIRE_THREAD": "1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("facewire-server: there is no setting FACEWIRE_THREAD;")


@pytest.mark.parametrize(
    "name",
    [
        *sources.NOT_THE_SERVERS,
        "FACEWIRE_CONSOLE_PORT",
        "FACEWIRE_SERVICE_HOST",
        "FACEWIRE_SERVICE_PORT_GRPC",
        "FACEWIRE_PORT_50051_TCP_ADDR",
        "FACEWIRE_SERVER_PORT_50051_TCP",
    ],
)
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert read(**{name: "tcp://10.0.0.1:50051"}) == Settings()


def test_every_variable_that_is_used_anywhere_has_an_owner(repository: Path) -> None:
    """A variable of the client, the tests or compose.yaml must not stop a server beside them."""
    listing = ["git", "ls-files", "*.py", "*.sh", "*.yaml", "Makefile"]
    files = subprocess.run(listing, cwd=repository, capture_output=True, text=True, check=True)
    others = set(files.stdout.split()) - {str(Path(__file__).relative_to(repository))}
    used: set[str] = set()
    for name in others:
        if not name.startswith("server/") and (repository / name).is_file():
            text = (repository / name).read_text(encoding="utf-8")
            used |= set(re.findall(r"\bFACEWIRE_[A-Z_]*[A-Z]\b", text))
    used = {name for name in used if not f"{name}_".startswith("FACEWIRE_CONSOLE_")}
    known = {each.variable for each in all_settings()} | sources.NOT_THE_SERVERS.keys()
    assert used >= sources.NOT_THE_SERVERS.keys(), "one in the list is used by nothing"
    assert used <= known


def test_cameras_are_named_with_commas_between() -> None:
    assert read("--metrics-cameras", " door/1, yard ,,door/1").shown_cameras == {"door/1", "yard"}
    assert read().shown_cameras == frozenset()


@pytest.mark.parametrize("address", ["0.0.0.0:9464", "[::]:9464", "metrics.internal:0"])
def test_metrics_may_be_open_to_others(address: str) -> None:
    """Else their port would need `insecure_listen`, which is about the port that recognizes people."""
    assert read("--metrics-listen", address).metrics_listen == address
