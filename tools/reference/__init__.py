"""The references of docs/reference, made of the code: docstrings, `--help`, fields of the config."""
