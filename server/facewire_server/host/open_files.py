"""The limit of open files of this process: a connection takes one."""

import resource

__all__ = ["raise_open_files"]


def raise_open_files() -> int:
    """Raises the soft limit of open files to the hard limit, and returns the limit in force.

    Systems keep the soft limit at 1,024 for programs that use `select`, which this one does not.
    Source: https://0pointer.net/blog/file-descriptor-limits.html
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
