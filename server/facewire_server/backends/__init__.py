"""The outside: one vendor a file, each behind a port of the pipeline."""
