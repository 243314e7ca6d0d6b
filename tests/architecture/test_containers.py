"""What the images and compose.yaml promise, read from their files; tools/images_test.sh runs them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from facewire_server.settings import ENVIRONMENT_PREFIX, Settings

SERVER, SERVING_GPU, LOCAL = (
    "Dockerfile.server",
    "Dockerfile.serving-gpu",
    "serving/Dockerfile.local",
)
DOCKERFILES = (SERVER, SERVING_GPU, LOCAL)
PAGE = "docs/containers.md"


def instructions(repository: Path, name: str) -> list[tuple[str, str]]:
    """Keyword and argument of each instruction, continuation lines joined, comments left out."""
    lines = (repository / name).read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [(line.split()[0], line.split(None, 1)[1]) for line in joined.splitlines() if line]


def arguments(repository: Path, name: str, keyword: str) -> list[str]:
    return [argument for word, argument in instructions(repository, name) if word == keyword]


def pins(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.fixture
def compose(repository: Path) -> dict[str, Any]:
    return yaml.safe_load((repository / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_bases_are_pinned(repository: Path, name: str) -> None:
    stages: set[str] = set()
    for argument in arguments(repository, name, "FROM"):
        base, _, stage = argument.partition(" AS ")
        assert base in stages or re.search(r":.*\d{8}|:\d+\.\d+\.\d+", base), base
        stages.add(stage)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_containers_run_as_nobody_in_particular(repository: Path, name: str) -> None:
    words = instructions(repository, name)
    last = max(number for number, (word, _) in enumerate(words) if word == "FROM")
    users = [argument for word, argument in words[last:] if word == "USER"]
    assert users, name
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]), users


def test_the_server_image_tells_its_health(repository: Path) -> None:
    (check,) = arguments(repository, SERVER, "HEALTHCHECK")
    assert check.endswith('CMD ["facewire-server", "health"]')
    assert "--start-period=300s" in check, "models may take minutes to load"


def test_the_server_image_holds_no_tensorflow_no_tool_and_nothing_that_phones_home(
    repository: Path,
) -> None:
    installed = pins(repository / "requirements/server.txt")
    tested = pins(repository / "requirements/dev.txt")
    assert installed.items() <= tested.items(), "the image runs what the tests ran"
    words = " ".join(argument for _, argument in instructions(repository, SERVER))
    for absent in ("tensorflow", "telemetry", "pytest", "ruff", "mypy"):
        assert not any(absent in package for package in installed), absent
    assert "--no-deps" in words, "a dependency that is not named stays out"
    assert "serving" not in words


def test_the_server_image_holds_all_that_the_server_asks_for(repository: Path) -> None:
    import tomllib

    asked: set[str] = set()
    for project in ("server", "clients/python"):
        text = (repository / project / "pyproject.toml").read_text(encoding="utf-8")
        asked |= {
            re.split(r"[^\w-]", each)[0] for each in tomllib.loads(text)["project"]["dependencies"]
        }
    assert asked - {"facewire"} <= pins(repository / "requirements/server.txt").keys()


@pytest.mark.parametrize("name", DOCKERFILES)
def test_no_weights_get_in_whose_licence_somebody_must_acknowledge(
    repository: Path, name: str
) -> None:
    words = " ".join(argument for _, argument in instructions(repository, name))
    assert "acknowledge" not in words
    if name != SERVING_GPU:
        assert not re.search(r"models/|\.onnx|export", words)
    ignored = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert not any(line.startswith("!") and re.search("models|data", line) for line in ignored)


def test_the_builder_is_given_all_that_is_copied(repository: Path) -> None:
    ignored = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    given = [line[1:] for line in ignored if line.startswith("!")]
    for name in DOCKERFILES:
        for argument in arguments(repository, name, "COPY"):
            if not argument.startswith("--from"):
                (source, _) = argument.split()
                assert (repository / source).exists(), source
                assert any(Path(source).is_relative_to(folder) for folder in given), source


def test_the_serving_image_is_no_older_than_the_exporter(repository: Path) -> None:
    exporter = pins(repository / "serving/requirements.txt")["tensorflow-cpu"]
    (image,) = re.findall(
        r"tensorflow/serving:([\d.]+)-gpu", " ".join(arguments(repository, SERVING_GPU, "FROM"))
    )
    assert as_numbers(image) >= as_numbers(exporter)


def test_one_build_argument_chooses_the_servable(repository: Path) -> None:
    assert arguments(repository, SERVING_GPU, "ARG") == ["SERVABLE"]
    environment = " ".join(arguments(repository, SERVING_GPU, "ENV"))
    assert "MODEL_NAME=${SERVABLE}" in environment
    assert "/models/${SERVABLE}" in " ".join(arguments(repository, SERVING_GPU, "COPY"))


def test_every_flag_and_variable_of_the_serving_image_is_documented(
    repository: Path, services: dict[str, Any]
) -> None:
    page = (repository / PAGE).read_text(encoding="utf-8")
    used = {
        match
        for text in arguments(repository, SERVING_GPU, "ENV")
        for match in re.findall(r"(\w+)=", text)
    }
    for name, service in services.items():
        if name != "server":
            used |= {flag.split("=")[0] for flag in service.get("command", [])}
            used |= set(service.get("environment", {}))
    assert {"--enable_batching", "MODEL_NAME", "TF_FORCE_GPU_ALLOW_GROWTH"} <= used
    assert not [each for each in used if f"`{each}`" not in page]


def test_each_profile_brings_both_models_under_the_names_that_the_server_asks(
    services: dict[str, Any],
) -> None:
    asked = services["server"]["environment"]
    hosts = {asked["FACEWIRE_DETECTOR_ADDRESS"], asked["FACEWIRE_EMBEDDER_ADDRESS"]}
    assert "profiles" not in services["server"], "it starts with either"
    assert "depends_on" not in services["server"], "and alone"
    for profile in ("cpu", "gpu"):
        models = [each for each in services.values() if each.get("profiles") == [profile]]
        names = {alias for each in models for alias in each["networks"]["facewire"]["aliases"]}
        assert {f"{name}:8500" for name in names} == hosts


def test_gpus_are_asked_for_where_they_are_meant(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name.endswith("-gpu"):
            (device,) = service["deploy"]["resources"]["reservations"]["devices"]
            assert device["capabilities"] == ["gpu"]
        else:
            assert "deploy" not in service


def test_batching_is_for_the_embedding_alone(services: dict[str, Any]) -> None:
    batching = {
        name for name, each in services.items() if "--enable_batching" in each.get("command", [])
    }
    assert batching == {"embedding-cpu", "embedding-gpu"}


def test_there_is_one_network_and_the_gallery_outlives_its_container(
    compose: dict[str, Any],
) -> None:
    assert list(compose["networks"]) == ["facewire"]
    assert list(compose["volumes"]) == ["gallery"]
    assert compose["services"]["server"]["volumes"] == ["gallery:/data"]


def test_only_this_machine_reaches_the_port_that_has_no_tls(services: dict[str, Any]) -> None:
    server = services["server"]
    assert server["environment"]["FACEWIRE_INSECURE_LISTEN"] == "true"
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert not [name for name, each in services.items() if name != "server" and "ports" in each]


def test_no_container_has_more_rights_than_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_the_server_may_drain_before_it_is_killed(services: dict[str, Any]) -> None:
    assert float(services["server"]["stop_grace_period"].rstrip("s")) > Settings().drain_s


def test_every_setting_that_is_set_exists(repository: Path, services: dict[str, Any]) -> None:
    known = {variable for variable, _, _ in Settings().described()}
    texts = arguments(repository, SERVER, "ENV")
    said = {match for text in texts for match in re.findall(rf"{ENVIRONMENT_PREFIX}\w+", text)}
    said |= services["server"]["environment"].keys()
    assert said
    assert said <= known


def test_the_test_swaps_images_and_nothing_else(repository: Path, services: dict[str, Any]) -> None:
    override = yaml.safe_load(
        (repository / "tests/containers/compose.yaml").read_text(encoding="utf-8")
    )
    assert override["services"].keys() == {
        name for name, each in services.items() if each.get("profiles") == ["cpu"]
    }
    for service in override["services"].values():
        assert service["image"] == "facewire-serving-local"
        assert service.keys() <= {"image", "command"}


def as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
