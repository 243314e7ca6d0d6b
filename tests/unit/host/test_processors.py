"""A process uses no more processors than its affinity and the quotas of its cgroups allow."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from facewire_server.host.processors import Processors, usable_processors
from fakes.python import PATHS

NO_QUOTA_V1 = ("-1", "100000")
TEMPORARY = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"


def mount(point: Path, kind: str, options: str = "rw", root: str = "/") -> str:
    escaped = str(point).replace(" ", r"\040")
    return f"32 31 0:29 {root} {escaped} rw,relatime shared:9 - {kind} cgroup {options}\n"


class Tree:
    """A made-up /proc/self and cgroup file system."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.mounted = folder / "a cgroup"
        self.proc.mkdir()
        self.mounted.mkdir()

    def process(self, cgroup: str, mountinfo: str) -> None:
        (self.proc / "cgroup").write_text(cgroup)
        (self.proc / "mountinfo").write_text(TEMPORARY + mountinfo)

    def v1(self, path: str, quota: str, period: str = "100000") -> None:
        folder = self.mounted / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (folder / "cpu.cfs_period_us").write_text(f"{period}\n")

    def v2(self, path: str, limit: str) -> None:
        folder = self.mounted / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(f"{limit}\n")

    def quota(self) -> float | None:
        return usable_processors(self.proc).quota


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize(
    ("affinity", "quota", "count"),
    [(8, None, 8), (8, 1.5, 2), (8, 2.0, 2), (8, 0.05, 1), (2, 6.0, 2), (2, 0.5, 1)],
)
def test_a_quota_is_rounded_up_and_the_affinity_bounds_it(
    affinity: int, quota: float | None, count: int
) -> None:
    assert Processors(affinity, quota).count == count


def test_the_affinity_counts() -> None:
    assert usable_processors().affinity == len(os.sched_getaffinity(0))


def test_version_2_the_smallest_of_the_cgroup_and_its_ancestors_counts(tree: Tree) -> None:
    tree.process("0::/machine/pod/server\n", mount(tree.mounted, "cgroup2"))
    tree.v2("machine", "800000 100000")
    tree.v2("machine/pod", "150000 100000")
    tree.v2("machine/pod/server", "max 100000")
    tree.v2("machine/pod/beside", "1000 100000")
    assert tree.quota() == 1.5
    tree.v2("machine/pod/server", "20000 50000")
    assert tree.quota() == 0.4


def test_version_2_without_a_limit_there_is_none(tree: Tree) -> None:
    tree.process("0::/\n", mount(tree.mounted, "cgroup2"))
    assert tree.quota() is None, "the root of a hierarchy has no such file"
    tree.v2("", "max 100000")
    assert tree.quota() is None


def test_version_1_the_smallest_of_the_cgroup_and_its_ancestors_counts(tree: Tree) -> None:
    mounts = mount(tree.mounted.parent / "elsewhere", "cgroup", "rw,cpuset")
    tree.process(
        "4:memory:/other\n3:cpuset:/\n1:cpu,cpuacct:/pod/server\n",
        mounts + mount(tree.mounted, "cgroup", "rw,cpu,cpuacct"),
    )
    tree.v1("", *NO_QUOTA_V1)
    tree.v1("pod", "250000")
    tree.v1("pod/server", *NO_QUOTA_V1)
    assert tree.quota() == 2.5
    tree.v1("pod/server", "50000", "200000")
    assert tree.quota() == 0.25


def test_a_container_that_sees_its_own_cgroup_as_the_root_finds_it(tree: Tree) -> None:
    """Docker with version 1: the path is the host's, the mount is of that path."""
    tree.process(
        "1:cpu:/docker/0123/inner\n", mount(tree.mounted, "cgroup", "rw,cpu", root="/docker/0123")
    )
    tree.v1("", "300000")
    tree.v1("inner", "100000")
    assert tree.quota() == 1.0


@pytest.mark.parametrize(("path", "root"), [("/docker/9", "/docker/0123"), ("/../../x", "/")])
def test_a_path_outside_of_what_is_mounted_counts_as_the_mount(
    tree: Tree, path: str, root: str
) -> None:
    tree.process(f"0::{path}\n", mount(tree.mounted, "cgroup2", root=root))
    tree.v2("", "300000 100000")
    assert tree.quota() == 3.0


def test_with_both_versions_mounted_each_counts(tree: Tree) -> None:
    unified = tree.mounted / "unified"
    tree.process(
        "1:cpu:/a\n0::/a\n",
        mount(tree.mounted, "cgroup", "rw,cpu") + mount(unified, "cgroup2"),
    )
    tree.v1("a", "400000")
    assert tree.quota() == 4.0
    tree.v2("unified/a", "200000 100000")
    assert tree.quota() == 2.0


def test_without_cgroups_there_is_no_quota(tree: Tree) -> None:
    assert tree.quota() is None
    tree.process("", "")
    assert tree.quota() is None


@pytest.fixture
def limited() -> Iterator[Path]:
    """The process list of a real cgroup whose parent is limited to 1.25 processors."""
    found = real_cgroup(125_000)
    if found is None:
        pytest.skip("needs root and a cgroup file system with a CPU controller to make a cgroup in")
    parent, child = found
    try:
        yield child / "cgroup.procs"
    finally:
        child.rmdir()
        parent.rmdir()


def real_cgroup(quota_us: int) -> tuple[Path, Path] | None:
    name = f"facewire-test-{uuid.uuid4().hex}"
    places = (
        ("/sys/fs/cgroup", "cpu.max", f"{quota_us} 100000"),
        ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", str(quota_us)),
        ("/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us", str(quota_us)),
    )
    for root, file, text in places:
        if file == "cpu.max" and not (Path(root) / "cgroup.controllers").exists():
            continue
        parent = Path(root) / name
        try:
            parent.mkdir()
        except OSError:
            continue
        try:
            (parent / file).write_text(text)
            (parent / "child").mkdir()
        except OSError:
            parent.rmdir()
            continue
        return parent, parent / "child"
    return None


def test_a_process_in_a_real_cgroup_sees_its_quota(limited: Path) -> None:
    code = (
        "import sys; open(sys.argv[1], 'w').write('0');"
        "from facewire_server.host.processors import usable_processors; print(usable_processors().quota)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(limited)],
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("1.25\n", "")
