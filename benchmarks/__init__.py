"""Measurements of the project, run from the repository root: `python -m benchmarks.NAME`."""
