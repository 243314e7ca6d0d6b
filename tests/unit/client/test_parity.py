"""Both clients can do the same, in the same words."""

import inspect
from pathlib import Path

import pytest

import facewire

ROOMS = [Path(facewire.__path__[0]) / room for room in ("_sync", "_aio")]


def public(client):
    return {name for name in dir(client) if not name.startswith("_")}


def test_both_clients_have_the_same_methods():
    assert public(facewire.Client) == public(facewire.AsyncClient)


def test_each_file_of_the_blocking_client_has_a_twin_of_the_same_name():
    blocking, aio = ({path.name for path in files.glob("*.py")} for files in ROOMS)
    assert blocking - aio == set()
    assert aio - blocking == {"cancelling.py", "ending.py", "threads.py"}  # of asyncio alone


@pytest.mark.parametrize("name", ["__init__", *sorted(public(facewire.Client))])
def test_a_method_takes_the_same_in_both(name):
    ours, theirs = (
        inspect.signature(getattr(client, name)).parameters.values()
        for client in (facewire.Client, facewire.AsyncClient)
    )
    # A stream of asyncio's takes asynchronous frames, too.
    assert [(each.name, each.kind, each.default) for each in ours] == [
        (each.name, each.kind, each.default) for each in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.name == "frames" or mine.annotation == other.annotation


@pytest.mark.parametrize("name", sorted(public(facewire.Client) - {"close"}))
def test_asyncios_documentation_leads_to_the_other(name):
    assert f"See `Client.{name}`" in (inspect.getdoc(getattr(facewire.AsyncClient, name)) or "")
