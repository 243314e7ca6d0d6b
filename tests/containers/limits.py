"""Compares the limits that compose.yaml states for a container with those in force in it.

    python tests/containers/limits.py SERVICE <IN_FORCE      what tests/containers/in_force.py printed in the container

It prints one line; the exit code is 1 if anything differs.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
BYTES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
HELD = {"server": ["/data"]}
"""Folders that a service may write into, beside /tmp."""
ALWAYS_WRITABLE = {"/dev", "/dev/shm", "/tmp", "/run", "/var/tmp"}
"""Memory of the container's own: every engine makes the first two, podman also the last two, and compose.yaml says /tmp."""


def stated(service: str) -> dict[str, Any]:
    """The service as compose.yaml states it, with the variables of the environment."""
    text = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda match: os.environ.get(match[1], match[2]), text)
    found: dict[str, Any] = yaml.safe_load(text)["services"][service]
    return found


def user_of(service: dict[str, Any]) -> int:
    """The user that compose.yaml states, or the server's image."""
    if "user" in service:
        return int(service["user"].partition(":")[0])
    dockerfile = (REPOSITORY / "Dockerfile.server").read_text(encoding="utf-8")
    (user,) = re.findall(r"^USER (\d+)", dockerfile, re.MULTILINE)
    return int(user)


def differences(name: str, service: dict[str, Any], in_force: dict[str, Any]) -> list[str]:
    """What is in force and is not what is stated."""
    size = re.fullmatch(r"(\d+)([kmg])", service["mem_limit"])
    assert size
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"]
    wanted = {
        "uid": user_of(service),
        "no_new_privileges": "no-new-privileges:true" in service["security_opt"],
        "seccomp": True,
        "memory": int(size[1]) * BYTES[size[2]],
        "processes": service["pids_limit"],
        "processors": float(service["cpus"]),
    }
    wrong = [
        f"{what} is {in_force[what]}, not {value}"
        for what, value in wanted.items()
        if in_force[what] != value
    ]
    wrong += [
        f"{kind} is {mask}" for kind, mask in in_force["capabilities"].items() if int(mask, 16)
    ]
    places = set(in_force["writable"])
    wrong += [
        f"{place} is writable" for place in places - ALWAYS_WRITABLE - set(HELD.get(name, []))
    ]
    wrong += [f"{place} is not writable" for place in {"/tmp", *HELD.get(name, [])} - places]
    return wrong


def main() -> int:
    (name,) = sys.argv[1:]
    in_force = json.load(sys.stdin)
    wrong = differences(name, stated(name), in_force)
    if name == "server" and not any(soft == hard for soft, hard in in_force["open_files"].values()):
        wrong.append(f"the server left its soft limit of open files: {in_force['open_files']}")
    print(f"{name}: {'; '.join(wrong) or 'as compose.yaml states: ' + json.dumps(in_force)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
