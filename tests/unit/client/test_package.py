"""The package's face: its names, what it imports, what it keeps to itself."""

import pickle
import subprocess
import sys

import pytest

import facewire
from facewire._wire.address import Address
from fakes.certificates import self_signed


def test_all_is_sorted_and_complete():
    assert facewire.__all__ == sorted(facewire.__all__, key=lambda n: (n.startswith("_"), n))
    public = {name for name in vars(facewire) if not name.startswith("_")}
    assert public - {"v1", "cli", "video"} == set(facewire.__all__) - {"__version__"}


def test_importing_it_brings_no_extra():
    code = (
        "import sys, facewire; "
        "print([m for m in ('numpy', 'cv2', 'PIL', 'typer', 'rich', 'google.rpc', 'asyncio') "
        "if m in sys.modules])"
    )
    path = str(next(iter(facewire.__path__)).removesuffix("/facewire"))
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    baseline = subprocess.run(
        [sys.executable, "-c", "import sys, grpc; print('asyncio' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = "['asyncio']" if baseline.stdout.strip() == "True" else "[]"
    assert result.stdout.strip() == expected


def test_the_token_is_in_no_repr():
    address = Address.of("server:1", token="secret", root_certificates=None, tls=False)
    assert "secret" not in repr(address)
    assert address.metadata == (("authorization", "Bearer secret"),)


@pytest.mark.parametrize("kind", [facewire.Client, facewire.AsyncClient])
@pytest.mark.parametrize("bad", ["s3cr\u00e9t", "s3cret\x01", "s3\ncret"])
def test_a_token_that_no_header_may_hold_is_refused_and_not_shown(kind, bad):
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        kind("server:1", token=bad)
    assert "s3" not in str(caught.value)


def test_space_around_a_token_is_left_out():
    address = Address.of("server:1", token=" s3cret\n", root_certificates=None, tls=False)
    assert address.metadata == (("authorization", "Bearer s3cret"),)
    blank = Address.of("server:1", token="\n", root_certificates=None, tls=False)
    assert blank.metadata == ()


def test_certificates_turn_tls_on_and_are_read_from_a_path(tmp_path):
    path, _ = self_signed(tmp_path)
    pem = path.read_bytes()
    for given in (pem, path, str(path)):
        address = Address.of("server:1", token=None, root_certificates=given, tls=False)
        assert address.tls
        assert address.root_certificates == pem


@pytest.mark.parametrize(
    "value",
    [
        facewire.Box(1, 2, 3, 4),
        facewire.Outcome.KNOWN,
        facewire.Image(b"jpeg"),
        facewire.FramesSkipped(1, 2, facewire.SkipReason.SUPERSEDED, 2),
    ],
)
def test_a_value_survives_pickling_under_its_public_name(value):
    data = pickle.dumps(value)
    assert pickle.loads(data) == value
    assert b"facewire._" not in data


@pytest.mark.parametrize("name", [n for n in facewire.__all__ if n.endswith("Error")])
def test_an_error_survives_pickling_with_all_it_says(name):
    kind = getattr(facewire, name)
    reason = facewire.ErrorReason.SHUTTING_DOWN
    more = {"after_s": 1.5} if kind is facewire.ReconnectError else {"advice": "Do.", "field": "x"}
    error = kind("It happened.", reason=reason, **more)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (kind, str(error), vars(error))


def test_public_names_show_as_the_packages_own():
    for name in set(facewire.__all__) - {"Picture", "__version__"}:
        assert getattr(facewire, name).__module__ == "facewire", name
