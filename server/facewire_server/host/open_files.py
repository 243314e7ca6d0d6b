"""The limit of open files of this process: a connection takes one."""

import resource
import sys

__all__ = ["raise_open_files"]


def raise_open_files() -> int:
    """Raises the soft limit of open files to the hard limit, and returns the limit in force.

    Without a limit it returns `sys.maxsize`. A system that refuses the hard limit, as macOS refuses an infinite one,
    keeps its soft limit.

    Systems keep the soft limit at 1,024 for programs that use `select`, which this one does not.
    Source: https://0pointer.net/blog/file-descriptor-limits.html
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_force = hard
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            in_force = soft
    return sys.maxsize if in_force == resource.RLIM_INFINITY else in_force
