"""openapi.json describes every route, and nothing else."""

from typing import Any

import pytest
from starlette.routing import Route

from facewire import ErrorReason
from facewire_console.api.document import document
from facewire_console.app import create_app
from facewire_console.errors import STATUS_OF_REASON
from facewire_console.settings import Settings
from harness.console_running import RunningConsole


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    served = {
        (method.lower(), route.path.replace(":int}", "}"))
        for route in create_app(Settings()).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(method, path) for path, item in document()["paths"].items() for method in item}
    assert served == described


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*map(references, value.values()))
    if isinstance(value, list):
        return set().union(*map(references, value))
    return set()


def test_every_value_that_is_referred_to_is_described() -> None:
    values = {f"#/components/schemas/{name}" for name in document()["components"]["schemas"]}
    assert references(document()) == values


def test_every_reason_of_the_contract_has_a_status() -> None:
    assert set(STATUS_OF_REASON) == set(ErrorReason)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_the_document_is_served(console: RunningConsole, path: str) -> None:
    answer = console.send("GET", path)
    assert answer.status == 200
    assert b"/api/identities/{identity_id}" in answer.body
    assert b"http://" not in answer.body, "no third party"
    assert b"https://" not in answer.body
    assert b"<script" not in answer.body
