"""Frames from cameras and films, and results painted onto them: needs PyAV and OpenCV (`facewire[video]`).

```python
import facewire
from facewire.video import Camera

with facewire.Client() as client, Camera("rtsp://door/1") as camera:
    for result in client.stream(camera, camera="door"):
        print(result)
```
"""

try:
    from facewire.video._annotate import annotate
    from facewire.video._camera import Camera
    from facewire.video._film import FilmWriter
    from facewire.video._source import SourceError
except ModuleNotFoundError as error:
    if error.name not in ("av", "cv2", "numpy"):
        raise
    raise ModuleNotFoundError(
        "facewire.video needs PyAV and OpenCV: pip install 'WHEEL[video]', of the client's wheel",
        name=error.name,
    ) from error

__all__ = ["Camera", "FilmWriter", "SourceError", "annotate"]
