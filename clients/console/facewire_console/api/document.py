"""`/openapi.json`, and the same for people at `/docs`: without a script, and without a third party."""

import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

__all__ = ["document", "openapi", "page"]


@cache
def document() -> dict[str, Any]:
    """Returns the document (OpenAPI 3.1)."""
    loaded: dict[str, Any] = json.loads(_text())
    return loaded


async def openapi(_: Request) -> Response:
    """Returns the document as it is."""
    return Response(_text(), media_type="application/json")


async def page(_: Request) -> HTMLResponse:
    """Returns the document as a page."""
    return HTMLResponse(_html())


@cache
def _text() -> str:
    return files("facewire_console").joinpath("openapi.json").read_text(encoding="utf-8")


@cache
def _html() -> str:
    described = document()
    calls = [
        _call(method, path, call)
        for path, item in described["paths"].items()
        for method, call in item.items()
    ]
    values = [_value(name, schema) for name, schema in described["components"]["schemas"].items()]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(described['info']['title'])}</title></head><body>",
            f"<h1>{escape(described['info']['title'])}</h1>",
            f"<p>{escape(described['info']['description'])}</p>",
            '<p><a href="/openapi.json">openapi.json</a></p>',
            "<h2>Calls</h2>",
            *calls,
            "<h2>Values</h2>",
            *values,
            "</body></html>",
        ]
    )


def _call(method: str, path: str, call: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(each['name'])}</code> ({escape(each['in'])}): {escape(each['description'])}</li>"
        for each in call.get("parameters", [])
    )
    bodies = "".join(
        f"<li>{escape(kind)}: {_kind(content['schema'])}</li>"
        for kind, content in call.get("requestBody", {}).get("content", {}).items()
    )
    responses = "".join(
        f"<li>{escape(status)}: {escape(response.get('description', ''))} {_content(response)}</li>"
        for status, response in call["responses"].items()
    )
    return (
        f"<h3><code>{method.upper()} {escape(path)}</code></h3><p>{escape(call['summary'])}</p>"
        f"<ul>{parameters}</ul><p>Body</p><ul>{bodies}</ul><p>Responses</p><ul>{responses}</ul>"
    )


def _content(response: dict[str, Any]) -> str:
    return ", ".join(
        f"{escape(kind)} {_kind(content['schema'])}"
        for kind, content in response.get("content", {}).items()
    )


def _value(name: str, schema: dict[str, Any]) -> str:
    fields = "".join(
        f"<li><code>{escape(field)}</code>: {_kind(of)}</li>"
        for field, of in schema.get("properties", {}).items()
    )
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><ul>{fields}</ul>'


def _kind(schema: dict[str, Any]) -> str:
    """Returns a type in words, with links to values."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if "properties" in schema:
        fields = ", ".join(
            f"<code>{escape(name)}</code> {_kind(of)}" for name, of in schema["properties"].items()
        )
        return "{" + fields + "}"
    kinds = schema.get("type", "anything")
    return escape(" or ".join(kinds) if isinstance(kinds, list) else kinds)
