"""Names of files, as OpenCV takes them."""

import os

__all__ = ["name_for_opencv"]


def name_for_opencv(path: str | os.PathLike[str]) -> str:
    """Returns the name of a file as text that OpenCV can take.

    OpenCV ends the whole process for a name that is not UTF-8. No issue of OpenCV's about it was found
    (searched: VideoCapture surrogate non UTF-8 filename abort).

    Raises:
        OSError: the name is not UTF-8.
    """
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise OSError(f"{name}: OpenCV takes names in UTF-8 only. Rename it.") from None
    return name
