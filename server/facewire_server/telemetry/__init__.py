"""Telemetry of a running server: metrics over HTTP, and traces. Both are off by default."""
