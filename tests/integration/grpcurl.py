"""The real grpcurl as a function: JSON messages in, JSON messages and the decoded error out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["PROGRAM", "Answer", "call", "grpcurl", "parsed"]

PROGRAM = str(Path(sys.executable).parent / "grpcurl")


class Answer(NamedTuple):
    """What a call gave: grpcurl's exit status is 64 + the gRPC status."""

    status: int
    messages: list[dict[str, Any]]
    error: str

    @property
    def only(self) -> dict[str, Any]:
        """The one message of a unary call that went well."""
        assert self.status == 0, self.error
        (message,) = self.messages
        return message

    @property
    def details(self) -> dict[str, dict[str, Any]]:
        """The google.rpc details that grpcurl decoded, by the last part of their type."""
        lines = [line.split("\t", 1)[1] for line in self.error.splitlines() if "\t{" in line]
        found = [json.loads(line) for line in lines]
        return {detail["@type"].rpartition(".")[2]: detail for detail in found}


def grpcurl(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs it."""
    return subprocess.run(
        [PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=60
    )


def parsed(text: str) -> list[dict[str, Any]]:
    """JSON values that follow each other, as grpcurl prints a stream."""
    decoder, values, text = json.JSONDecoder(), [], text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:].lstrip()
    return values


def call(
    address: str, method: str, *messages: dict[str, Any], flags: tuple[str, ...] = ("-plaintext",)
) -> Answer:
    """Calls a method with messages on its standard input."""
    stdin = "\n".join(json.dumps(message) for message in messages)
    done = grpcurl(*flags, "-d", "@", address, method, stdin=stdin)
    return Answer(done.returncode, parsed(done.stdout), done.stderr)
