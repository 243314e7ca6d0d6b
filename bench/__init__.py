"""Measurements: one command each, on a real server process with the real models."""

import harness  # noqa: F401 - puts this checkout first on the path
