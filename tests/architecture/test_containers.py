"""What the images and compose.yaml promise, read from their files; tools/images_test.sh runs them."""

import argparse
import importlib.util
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from facewire_console import settings as console_settings
from facewire_server.app.capacity import pictures_at_once
from facewire_server.command_flags import command_parser
from facewire_server.configuration import sources
from facewire_server.configuration.settings import ENVIRONMENT_PREFIX, Settings, SettingsError
from facewire_serving.serving_flags import FLAGS, fault

SERVER, SERVING_GPU, LOCAL = (
    "Dockerfile.server",
    "Dockerfile.serving-gpu",
    "serving/Dockerfile.local",
)
CONSOLE = "Dockerfile.console"
DOCKERFILES = (SERVER, SERVING_GPU, LOCAL, CONSOLE)
NO_MODELS = {"server", "console"}
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
    """Name and version of each package; a test below demands hashes."""
    return dict(
        re.findall(r"^([\w.-]+)==(\S+) \\$", path.read_text(encoding="utf-8"), re.MULTILINE)
    )


class Loader(yaml.SafeLoader):
    """Knows Compose's own tag for a list that takes another's place."""


class Override(list[str]):
    pass


def override(loader: Loader, node: yaml.SequenceNode) -> Override:
    return Override(loader.construct_sequence(node))


Loader.add_constructor("!override", override)


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader)
    return loaded


def settings_of(repository: Path, *environments: dict[str, str]) -> Settings:
    """What the server in the image makes of the image's variables and of these."""
    texts = arguments(repository, SERVER, "ENV")
    pairs = [match for text in texts for match in re.findall(r"(\w+)=(\S+)", text)]
    ours = {name: text for name, text in pairs if name.startswith(ENVIRONMENT_PREFIX)}
    assert ours
    for environment in environments:
        ours |= environment
    parser = argparse.ArgumentParser()
    sources.add_flags(parser)
    return sources.read(parser.parse_args([]), ours)


@pytest.fixture
def compose(repository: Path) -> dict[str, Any]:
    return load(repository / "compose.yaml")


@pytest.fixture
def public(repository: Path) -> dict[str, Any]:
    return load(repository / "compose.public.yaml")


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


def test_the_image_is_checked_for_life_and_compose_waits_for_readiness(
    repository: Path, services: dict[str, Any]
) -> None:
    (image,) = arguments(repository, SERVER, "HEALTHCHECK")
    checks = json.loads(image.partition(" CMD ")[2]), services["server"]["healthcheck"]["test"][1:]
    found = []
    for program, command, *flags in checks:
        assert program == "facewire-server"
        parsed = command_parser(command).parse_args(flags)
        found.append((parsed.live, parsed.ready))
    assert found == [(True, False), (False, True)]


def test_the_probes_of_the_page_are_commands_that_exist(repository: Path) -> None:
    text = (repository / "docs/running.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```text\n(containers:\n.*?)```", text, re.DOTALL)
    (container,) = yaml.safe_load(block)["containers"]
    probes = {name: each for name, each in container.items() if name.endswith("Probe")}
    assert len(probes) == 3
    for name, probe in probes.items():
        program, command, *flags = probe["exec"]["command"]
        assert program == "facewire-server"
        assert command_parser(command).parse_args(flags).live is (name != "readinessProbe")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_containers_do_not_run_as_root(repository: Path, name: str) -> None:
    words = instructions(repository, name)
    last = max(number for number, (word, _) in enumerate(words) if word == "FROM")
    users = [argument for word, argument in words[last:] if word == "USER"]
    assert users, name
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]), users


def test_the_server_image_holds_no_tensorflow_no_tool_and_nothing_that_phones_home(
    repository: Path,
) -> None:
    installed = pins(repository / "requirements/server.txt")
    run = pins(repository / "requirements/run.txt")
    tested = pins(repository / "requirements/dev.txt")
    assert installed.items() <= run.items() <= tested.items(), "all run what the tests ran"
    words = " ".join(argument for _, argument in instructions(repository, SERVER))
    for absent in ("tensorflow", "telemetry", "pytest", "ruff", "mypy"):
        assert not any(absent in package for package in installed), absent
    assert "--no-deps" in words, "a dependency that is not named stays out"
    assert "serving" not in words


def test_no_image_holds_the_clients_extras_whose_wheels_carry_gpl_libraries(
    repository: Path,
) -> None:
    for name in DOCKERFILES:
        words = " ".join(argument for _, argument in instructions(repository, name))
        assert not re.search(r"facewire\[|\bav\b", words), name
        installed = {each for each in re.findall(r"[\w/-]+\.txt", words) if "/" in each}
        assert installed, name
        for file in installed:
            assert not {"av", "pillow-heif"} & pins(repository / file).keys(), file


def test_pip_takes_only_files_whose_hash_is_pinned(repository: Path) -> None:
    files = [*repository.glob("requirements/*.txt"), *repository.glob("serving/requirements*.txt")]
    assert len(files) > 8
    for file in files:
        text = re.sub(r"^#.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        packages = re.split(r"\n(?! )", text.strip())
        for package in packages:
            assert re.fullmatch(r"\S+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+", package), file
    for name in ("Makefile", *DOCKERFILES):
        text = re.sub(r"\\\n", "", (repository / name).read_text(encoding="utf-8"))
        installed = re.findall(r"(?:install|PIP_INSTALL\)).*? (?:-r|--requirement) .*", text)
        assert installed, name
        assert all("--require-hashes" in command for command in installed), name


def test_the_models_are_built_with_what_the_tests_ran(repository: Path) -> None:
    run = pins(repository / "requirements/run.txt")
    for name in ("models", "build"):
        assert pins(repository / f"requirements/{name}.txt").items() <= run.items()


def test_the_server_image_holds_all_that_the_server_asks_for(repository: Path) -> None:
    asked: set[str] = set()
    for project in ("server", "clients/python"):
        text = (repository / project / "pyproject.toml").read_text(encoding="utf-8")
        asked |= {
            re.split(r"[^\w-]", each)[0] for each in tomllib.loads(text)["project"]["dependencies"]
        }
    asked = {name.replace("_", "-") for name in asked}  # as package indexes compare names
    assert asked - {"facewire"} <= pins(repository / "requirements/server.txt").keys()


@pytest.mark.parametrize("name", DOCKERFILES)
def test_no_weights_get_in_whose_license_must_be_acknowledged(repository: Path, name: str) -> None:
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
        if name not in NO_MODELS:
            used |= {flag.split("=")[0] for flag in service.get("command", [])}
            used |= set(service.get("environment", {}))
    assert {"--enable_batching", "MODEL_NAME", "TF_FORCE_GPU_ALLOW_GROWTH"} <= used
    assert not [each for each in used if f"`{each}`" not in page]


def flags_of(service: dict[str, Any]) -> list[str]:
    """The arguments of a model's container, with the defaults of the variables in them."""
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", each) for each in service.get("command", [])]


def test_every_flag_is_one_that_tensorflow_serving_reads(services: dict[str, Any]) -> None:
    """It passes over others. The stand-in refuses them, but is never started with the flags for a GPU."""
    models = {name: flags_of(each) for name, each in services.items() if name not in NO_MODELS}
    assert all(models[name] for name in ("mtcnn-cpu", "embedding-cpu", "embedding-gpu"))
    assert [fault(flag) for flags in models.values() for flag in flags if fault(flag)] == []


def test_a_model_server_has_a_thread_for_each_picture_in_work_and_some(
    repository: Path, services: dict[str, Any]
) -> None:
    settings = settings_of(repository, services["server"]["environment"])
    processors = int(re.sub(r"\D", "", str(services["server"]["cpus"]).partition(":-")[2]))
    pictures = pictures_at_once(settings, processors, is_served=True)
    for name, service in services.items():
        if name not in NO_MODELS:
            (threads,) = (
                int(flag.partition("=")[2])
                for flag in flags_of(service)
                if flag.startswith("--grpc_max_threads=")
            )
            assert threads - 1 >= 2 * pictures, "and as many of a second server"


@pytest.mark.parametrize("name", [PAGE, "serving/README.md", "serving/batching.config"])
def test_every_flag_that_is_written_about_exists(repository: Path, name: str) -> None:
    """TensorFlow Serving's have underscores; pages name them also without a value."""
    text = (repository / name).read_text(encoding="utf-8")
    shown = re.findall(r"(?<![\w-])--([a-z]+_[a-z_]+)(=[^\s`]+)?", text)
    assert shown
    assert [flag for flag, value in shown if flag not in FLAGS] == []
    assert [flag + value for flag, value in shown if value and fault(f"--{flag}{value}")] == []


def test_the_batching_parameters_lie_where_the_flag_says(
    repository: Path, services: dict[str, Any]
) -> None:
    file = "/models/batching.config"
    for name in ("embedding-cpu", "embedding-gpu"):
        assert f"--batching_parameters_file={file}" in flags_of(services[name])
    mounted = [
        each for each in services["embedding-cpu"]["volumes"] if each.endswith(f":{file}:ro")
    ]
    assert mounted == [f"./serving/batching.config:{file}:ro"]
    assert "serving/batching.config /models/" in arguments(repository, SERVING_GPU, "COPY")


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


def test_batching_is_for_the_embedding_alone(services: dict[str, Any]) -> None:
    batching = {
        name for name, each in services.items() if "--enable_batching" in each.get("command", [])
    }
    assert batching == {"embedding-cpu", "embedding-gpu"}


def test_only_this_machine_reaches_the_port_that_has_no_tls(services: dict[str, Any]) -> None:
    server = services["server"]
    assert server["environment"]["FACEWIRE_INSECURE_LISTEN"] == "true"
    published = {name: each["ports"] for name, each in services.items() if "ports" in each}
    assert published.keys() == NO_MODELS
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_the_console_asks_for_a_login_and_finds_the_server(
    repository: Path, compose: dict[str, Any], tmp_path: Path
) -> None:
    service = compose["services"]["console"]
    texts = arguments(repository, CONSOLE, "ENV")
    image = dict(re.findall(r"(FACEWIRE_\w+)=(\S+)", " ".join(texts)))
    with pytest.raises(console_settings.SettingsError, match="--login-token-file"):
        console_settings.read([], image)  # the image alone
    (tmp_path / "login").write_text("0123456789abcdef0123456789abcdef")
    environment = image | service["environment"]
    file = environment["FACEWIRE_CONSOLE_LOGIN_TOKEN_FILE"]
    assert file == f"/run/secrets/{service['secrets'][0]}"
    assert compose["secrets"].keys() == set(service["secrets"])
    login = {"FACEWIRE_CONSOLE_LOGIN_TOKEN_FILE": str(tmp_path / "login")}
    settings = console_settings.read([], environment | login)
    assert settings.server == "server:50051"
    listen = compose["services"]["server"]["environment"]["FACEWIRE_METRICS_LISTEN"]
    assert settings.server_metrics == listen.replace("0.0.0.0", "server")
    assert service["ports"][0].endswith(f":{settings.port}")
    assert arguments(repository, CONSOLE, "EXPOSE") == [str(settings.port)]


def test_the_consoles_image_and_compose_check_the_same(
    repository: Path, services: dict[str, Any]
) -> None:
    (image,) = arguments(repository, CONSOLE, "HEALTHCHECK")
    check = json.loads(image.partition(" CMD ")[2])
    assert services["console"]["healthcheck"]["test"] == ["CMD", *check]
    assert importlib.util.find_spec(check[-1]) is not None


def test_the_consoles_image_holds_all_that_it_asks_for_and_nothing_that_reads_pictures(
    repository: Path,
) -> None:
    installed = pins(repository / "requirements/console.txt")
    assert installed.items() <= pins(repository / "requirements/run.txt").items()
    asked: set[str] = set()
    for project in ("clients/console", "clients/python"):
        text = (repository / project / "pyproject.toml").read_text(encoding="utf-8")
        asked |= {
            re.split(r"[^\w-]", each)[0] for each in tomllib.loads(text)["project"]["dependencies"]
        }
    assert asked - {"facewire"} <= installed.keys()
    assert not {"numpy", "opencv-python-headless", "lmdb", "openvino"} & installed.keys()


def test_no_container_has_more_rights_or_more_of_the_machine_than_it_needs(
    services: dict[str, Any],
) -> None:
    """The GPU's containers are run by no test: here it would be seen that one lost its limits."""
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert {"cpus", "mem_limit", "pids_limit"} <= service.keys(), name
        assert {"max-size", "max-file"} <= service["logging"]["options"].keys(), name


def test_the_servers_settings_are_accepted(repository: Path, services: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="insecure-listen"):
        settings_of(repository)  # the image alone
    assert settings_of(repository, services["server"]["environment"]).insecure_listen


def test_what_is_published_to_others_wants_tls_from_secrets_and_tokens_that_a_command_can_change(
    repository: Path, services: dict[str, Any], public: dict[str, Any]
) -> None:
    server = public["services"]["server"]
    settings = settings_of(repository, services["server"]["environment"], server["environment"])
    assert not settings.insecure_listen, "so the server would refuse to start without the three"
    files = {settings.tls_certificate, settings.tls_key}
    assert files == {Path("/run/secrets") / name for name in server["secrets"]}
    assert set(server["secrets"]) == public["secrets"].keys()
    sources_on_host = [secret["file"] for secret in public["secrets"].values()]
    assert len(set(sources_on_host)) == len(files)
    assert settings.token_file is not None, "so the server would refuse to start without it"
    # A secret cannot be replaced in a container, and its root is read-only: only a volume can be written.
    folders = {volume.rpartition(":")[2] for volume in services["server"]["volumes"]}
    assert str(settings.token_file.parent) in folders
    assert isinstance(server["ports"], Override), "else the port of compose.yaml stays, too"
    ignored = (repository / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/secrets/" in ignored


def test_the_server_may_drain_before_it_is_killed(
    repository: Path, services: dict[str, Any]
) -> None:
    """After `lame_duck_s` and `drain_s` it waits up to 5 s for calls to end and up to 3 s for traces."""
    settings = Settings()
    least_s = settings.lame_duck_s + settings.drain_s + 10
    assert float(services["server"]["stop_grace_period"].rstrip("s")) >= least_s
    page = (repository / PAGE).read_text(encoding="utf-8")
    assert [float(each) >= least_s for each in re.findall(r"--stop-timeout (\d+)", page)] == [True]


def test_the_test_swaps_images_and_nothing_else(repository: Path, services: dict[str, Any]) -> None:
    override = load(repository / "tests/containers/compose.yaml")
    assert override["services"].keys() == {
        name for name, each in services.items() if each.get("profiles") == ["cpu"]
    }
    for service in override["services"].values():
        assert service["image"] == "facewire-serving-local"
        assert service.keys() <= {"image", "command"}


def as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
