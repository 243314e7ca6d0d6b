"""Checks answers against the console's OpenAPI document."""

from functools import cache
from typing import Any

import fastjsonschema

from facewire_console.api.document import document
from harness.console_running import Answer


def checked(answer: Answer, method: str, path: str) -> Any:
    """Returns an answer's JSON, if it has the shape that the document states for its status.

    Raises:
        AssertionError: the status is not described, or the shape is another.
    """
    responses = document()["paths"][path][method.lower()]["responses"]
    status = str(answer.status)
    assert status in responses or answer.status >= 400, f"{status}: {answer.body[:300]!r}"
    response = responses.get(status, responses["default"])
    if "content" not in response:
        assert answer.body == b""
        return None
    (kind,) = response["content"]
    assert answer.headers["content-type"].partition(";")[0] == kind
    if kind != "application/json":
        return None
    try:
        _validator(method.lower(), path, status if status in responses else "default")(
            answer.json()
        )
    except fastjsonschema.JsonSchemaValueException as error:
        raise AssertionError(f"{method} {path}: {error.message}") from None
    return answer.json()


@cache
def _validator(method: str, path: str, status: str) -> Any:
    described = document()
    schema = described["paths"][path][method]["responses"][status]["content"]["application/json"][
        "schema"
    ]
    return fastjsonschema.compile(
        {"allOf": [schema], "components": described["components"]}, use_default=False
    )


def described_value(name: str, value: Any) -> None:
    """Checks a value against one of the document's.

    Raises:
        AssertionError: it has another shape.
    """
    try:
        _value(name)(value)
    except fastjsonschema.JsonSchemaValueException as error:
        raise AssertionError(f"{name}: {error.message}") from None


@cache
def _value(name: str) -> Any:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return fastjsonschema.compile(
        {"allOf": [schema], "components": document()["components"]}, use_default=False
    )
