"""Edits: pure functions from codes to codes, each with its source (model-spec §11.3; docs/editing.md)."""

__all__: list[str] = []
