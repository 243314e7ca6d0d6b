"""Prints, as JSON, which limits are in force in the container that it is run in: as the kernel says, not as was asked for.

podman exec --interactive CONTAINER python3 - <tests/containers/in_force.py
"""

import json
import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def status() -> dict[str, str]:
    """Name and value of each line about the container's first process."""
    lines = Path("/proc/1/status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def group(old: str, new: str) -> str:
    """A file of the control groups, version 1 or 2."""
    file = GROUPS / old
    return (file if file.exists() else GROUPS / new).read_text(encoding="ascii").strip()


def processors() -> float:
    """How many processors the container may use; 0: all."""
    if (GROUPS / "cpu.max").exists():
        quota, period = (GROUPS / "cpu.max").read_text(encoding="ascii").split()
    else:
        quota = (GROUPS / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii")
        period = (GROUPS / "cpu/cpu.cfs_period_us").read_text(encoding="ascii")
    return 0.0 if quota in ("max", "-1\n") else int(quota) / int(period)


def open_files() -> dict[str, list[int]]:
    """Soft and hard limit of open files of every process, by its number."""
    limits = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        lines = (folder / "limits").read_text(encoding="ascii").splitlines()
        (line,) = (line for line in lines if line.startswith("Max open files"))
        limits[folder.name] = [int(number) for number in line.split()[3:5]]
    return limits


def writable() -> list[str]:
    """The places in which this user can make a file, of those that are on a disk or in memory."""
    places = {"/", "/etc", "/opt", "/home", "/models", "/usr/local/bin", "/var/tmp"}
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if kind not in ("proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts"):
            places.add(place)
    found = []
    for place in sorted(filter(os.path.isdir, places)):
        probe = Path(place) / "probe-of-in_force"
        try:
            probe.touch()
        except OSError:
            continue
        probe.unlink()
        found.append(place)
    return found


first = status()
print(
    json.dumps(
        {
            "uid": int(first["Uid"].split()[0]),
            "capabilities": {
                name: first[name] for name in ("CapEff", "CapPrm", "CapInh", "CapBnd")
            },
            "no_new_privileges": first["NoNewPrivs"] == "1",
            "seccomp": first["Seccomp"] == "2",
            "memory": int(group("memory/memory.limit_in_bytes", "memory.max")),
            "processes": int(group("pids/pids.max", "pids.max")),
            "processors": processors(),
            "open_files": open_files(),
            "writable": writable(),
        }
    )
)
