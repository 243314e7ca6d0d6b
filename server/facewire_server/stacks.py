"""The stack of an error, without the error's text."""

import traceback

__all__ = ["stack_without_messages"]


def stack_without_messages(error: BaseException) -> str:
    """Returns types and stacks of an error and of its causes.

    Messages are left out: they may quote the code's input (`KeyError: 'a name'`).
    """
    parts = []
    link: BaseException | None = error
    while link is not None:
        kind = type(link)
        errno = f" (errno {link.errno})" if isinstance(link, OSError) else ""
        parts.append(f"{kind.__module__}.{kind.__qualname__}{errno}\n")
        parts.extend(traceback.format_tb(link.__traceback__))
        link = link.__cause__ or link.__context__
    return "".join(parts)
