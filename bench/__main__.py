"""Lists the measurements: `python -m bench`."""

import ast

from harness import REPOSITORY

__all__: list[str] = []


def _commands() -> list[tuple[str, str]]:
    """Name and first line of each module of this folder that can be run."""
    found = []
    for path in sorted((REPOSITORY / "bench").glob("[a-z]*.py")):
        source = path.read_text()
        if 'if __name__ == "__main__":' in source:
            about = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
            found.append((f"python -m bench.{path.stem}", about))
    return found


if __name__ == "__main__":
    for command, about in _commands():
        print(f"{command:32}{about}")
