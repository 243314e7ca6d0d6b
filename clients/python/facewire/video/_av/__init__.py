"""The door to FFmpeg, through PyAV: the one place that imports it."""
