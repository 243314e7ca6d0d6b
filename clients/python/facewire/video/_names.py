"""Names of files, as OpenCV takes them."""

import os

__all__ = ["name_for_opencv"]


def name_for_opencv(path: str | os.PathLike[str]) -> str:
    """Returns the name of a file, if OpenCV can take it: on one that is not UTF-8 it ends the process.

    No issue of OpenCV's was found (searched: VideoCapture surrogate non UTF-8 filename abort).

    Raises:
        OSError: it cannot.
    """
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise OSError(f"{name}: OpenCV takes names in UTF-8 only. Rename it.") from None
    return name
