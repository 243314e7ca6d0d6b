"""The words of hand-written texts: American spelling, textbook terms, and a reason for each number.

Identifiers are American (`recognize`, `Enrollment`, `color`), so prose is, too. `cancelled` is spelled as asyncio and
gRPC spell it. docs/glossary.md lists the house words; all else has its textbook name.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
WRITTEN = re.compile(
    r"\.(?:py|md|h|cc|proto|ya?ml|toml|sh|options|config)$|(?:^|/)(?:Makefile|Dockerfile[^/]*)$"
)
NOT_WRITTEN = re.compile(r"_pb2(?:_grpc)?\.py$|(?:^|/)LICENSE$|^tests/architecture/test_words\.py$")
"""Generated code, the license of others, and this file, which names what it forbids."""

BRITISH = re.compile(
    r"""\b(?:
        \w*(?:recogni|normali|initiali|seriali|organi|minimi|maximi|optimi|synchroni|summari|generali|speciali
            |visuali|characteri|randomi|finali|materiali|categori|authori|customi|standardi|utili|quanti|reali
            |memori|locali|penali|equali|paralleli|vectori|prioriti)s(?:e[ds]?|er|ing|ation|able|es)
        | enrol(?:s|ment|ments)? | \w*analys(?:e[ds]?|ing)
        | \w*(?:colour|behaviour|neighbour|favour|honour)\w* | greys? | greyscale | \w*centre[ds]? | licences?
        | artefacts? | catalogues? | cancel(?:ed|ing) | label(?:led|ling) | model(?:led|ling) | travel(?:led|ling) | judgements?
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words whose American form is an identifier here or of a library, or might become one."""

DIALECT = {
    r"\banew\b": "again",
    r"\bnobody\b|\bsomebody\b": "no person, no client; a person",
    r"\btold\b|\btells\b": "says, returns, sends, reports, distinguishes",
    r"\bso (?:long|often|many|much)\b(?! that\b)": "the time, the rate, the number",
    r"\bby and by\b": "over time",
    r"\bbeside each other\b": "concurrently",
    r"\bwhat (?:becomes|became|has become|must become) of\b": "the outcome of",
    r"\bwhere (?:there (?:is|are)|none|nothing|it is not)\b": "if there is",
    r"\bas (?:it|they) came\b": "as received",
    r"\ball the same\b": "nevertheless",
    r"\bfor good\b": "permanently",
    r"\bno more(?=[.,;:)]|$)": "no longer",
    r"\bis for \w+ to (?:say|decide)\b": "decides",
    r"(?:\"\"\"|; )(?:gives|answers)\b": "returns",
    r"\bgives (?:the|a|an|up|it|back)\b": "returns",
    r"\b(?:by|to|reaches) who\b": "the client, the task, the operator",
    r"(?<!there) (?:is|are) no (?:id|picture|tensor|message|archive|terminal|film|contract|address|UTF-8)\b": "is not a",
}
"""Phrases that a stranger stumbles over, with the plain words for them."""

EXCLUDED = {
    "tests/": "their identities and cameras have such names, and test names are sentences",
}
"""Texts that may hold these phrases, by the start of their paths, and why."""


def written_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split("\n")
    return [path for path in listed if WRITTEN.search(path) and not NOT_WRITTEN.search(path)]


def found(forbidden: re.Pattern[str], *, but_not_in: tuple[str, ...] = ()) -> Iterator[str]:
    """Yields `path:line: text` of each match in a hand-written text."""
    for path in written_files():
        if path.startswith(but_not_in):
            continue
        text = (REPOSITORY / path).read_text(encoding="utf-8").replace("_", " ")
        for match in forbidden.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {' '.join(match.group().split())}"


def test_the_spelling_is_american() -> None:
    assert not (british := [*found(BRITISH)]), "\n".join(british)


@pytest.mark.parametrize("phrase", DIALECT)
def test_the_words_are_plain(phrase: str) -> None:
    forbidden = re.compile(phrase.replace(" ", r"\s+"), re.IGNORECASE | re.MULTILINE)
    odd = [*found(forbidden, but_not_in=tuple(EXCLUDED))]
    assert not odd, "\n".join([f"better: {DIALECT[phrase]}", *odd])


@pytest.mark.parametrize(
    "text",
    ["recognised", "an enrolment", "grey", "labelled", "the_centre_px", "neighbours", "Licence"],
)
def test_british_spelling_is_found(text: str) -> None:
    assert BRITISH.search(text.replace("_", " "))


@pytest.mark.parametrize(
    "text",
    ["precise", "noise", "enroll", "enrolls", "analysis", "cancelled", "otherwise", "improvised"],
)
def test_american_spelling_is_not(text: str) -> None:
    assert not BRITISH.search(text)


def constants(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """Yields name, line, and whether a docstring explains it, of each constant that holds a number.

    A docstring explains the constants above it, up to the first empty line.
    """
    explained = False
    for statement, after in reversed([*pairwise([*tree.body, ast.Pass(lineno=0)])]):
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        is_docstring = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        joins_next = isinstance(after, ast.Assign | ast.AnnAssign) and (
            after.lineno == (statement.end_lineno or 0) + 1
        )
        explained = is_docstring or (explained and joins_next)
        for target in targets:
            if (
                isinstance(target, ast.Name)
                and re.fullmatch(r"_?[A-Z][A-Z0-9_]*", target.id)
                and isinstance(statement, ast.Assign | ast.AnnAssign)
                and any(
                    isinstance(node, ast.Constant) and type(node.value) in (int, float)
                    for node in ast.walk(statement.value or ast.Pass())
                )
            ):
                yield target.id, statement.lineno, explained


def test_every_number_has_its_reason() -> None:
    """A docstring below a constant says its unit and its source, or that it was chosen."""
    unexplained = [
        f"{path}:{line}: {name}"
        for path in written_files()
        if path.startswith(
            (
                "server/facewire_server/",
                "clients/python/facewire/",
                "clients/console/facewire_console/",
            )
        )
        and path.endswith(".py")
        for name, line, explained in constants(ast.parse((REPOSITORY / path).read_text("utf-8")))
        if not explained
    ]
    assert not unexplained, "\n".join(unexplained)


def test_a_number_without_a_reason_is_found() -> None:
    module = '''
A = 1
"""Why."""

_B: int = 2
_C = 3
"""Why both."""

_D = 4

E = (5, "x")
'''
    assert sorted(constants(ast.parse(module))) == [
        ("A", 2, True),
        ("E", 11, False),
        ("_B", 5, True),
        ("_C", 6, True),
        ("_D", 9, False),
    ]
