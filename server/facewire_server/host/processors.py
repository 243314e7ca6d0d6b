"""How many processors this process may use: its affinity, and the CPU quotas of its cgroups.

A container that is limited to two processors of a machine with 64 still sees 64: the kernel limits
it by a quota of time. Threads for 64 would then wait for each other's time slices.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["Processors", "usable_processors"]


@dataclass(frozen=True, slots=True)
class Processors:
    """What limits a process.

    Attributes:
        affinity: processors that the scheduler may run it on.
        quota: processors' worth of time that its cgroups grant it, such as 1.5; None = no limit.
    """

    affinity: int
    quota: float | None

    @property
    def count(self) -> int:
        """Processors to plan threads for.

        A quota is rounded up, as Go's GOMAXPROCS and the JVM do: with 1.5, one thread would leave
        a third of the time unused.
        """
        if self.quota is None:
            return self.affinity
        return max(1, min(self.affinity, math.ceil(self.quota)))


def usable_processors(proc: Path = Path("/proc/self")) -> Processors:
    """Returns the limits of this process.

    Args:
        proc: folder with the files `cgroup` and `mountinfo` (proc(5)) of a process.
    """
    return Processors(affinity=len(os.sched_getaffinity(0)), quota=min(_quotas(proc), default=None))


def _quotas(proc: Path) -> Iterator[float]:
    """Yields the quota of each cgroup that this process is in, ancestors included."""
    try:
        cgroups = (proc / "cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (proc / "mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return  # no /proc, or a kernel without cgroups
    for line in cgroups:
        _, controllers, path = line.split(":", 2)
        # Version 2 has one hierarchy, whose line names no controllers.
        if controllers and "cpu" not in controllers.split(","):
            continue
        for folder in _folders(PurePosixPath(path), mounts, version_2=not controllers):
            quota = _quota_v2(folder) if not controllers else _quota_v1(folder)
            if quota is not None:
                yield quota


def _folders(path: PurePosixPath, mounts: list[str], *, version_2: bool) -> Iterator[Path]:
    """Yields the folders of the cgroup and of its ancestors, as far as they are mounted here."""
    for line in mounts:
        # proc(5): ID parent device ROOT MOUNT-POINT options [tags ...] - TYPE source OPTIONS
        before, _, after = line.partition(" - ")
        root, mount_point = (_unescaped(each) for each in before.split(" ")[3:5])
        kind, _, options = after.split(" ", 2)
        if kind != ("cgroup2" if version_2 else "cgroup"):
            continue
        if not version_2 and "cpu" not in options.split(","):
            continue
        # Without a cgroup namespace, a container sees its cgroup mounted as the root, but reads
        # its path from the host's root. If the two do not fit, the mount is all that it sees.
        below = path.relative_to(root) if path.is_relative_to(root) else PurePosixPath()
        if ".." in below.parts:
            below = PurePosixPath()
        for relative in (below, *below.parents):
            yield Path(mount_point) / relative
        return


def _quota_v2(folder: Path) -> float | None:
    limit, _, period = _text(folder / "cpu.max").partition(" ")
    return _ratio(limit, period)


def _quota_v1(folder: Path) -> float | None:
    return _ratio(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _ratio(quota_us: str, period_us: str) -> float | None:
    """Returns None for "no limit": "max" in version 2, -1 in version 1, or no such file."""
    try:
        quota, period = int(quota_us), int(period_us)
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""  # the root of a hierarchy has no quota, and so no file


def _unescaped(path: str) -> str:
    """Undoes proc(5)'s octal escapes of space, tab, line feed and backslash."""
    for escape, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        path = path.replace(escape, character)
    return path
