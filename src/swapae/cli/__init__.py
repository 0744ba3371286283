"""The program `swapae`: thin commands over the floors below.

A command is a function: its signature is parsed by tyro, its docstring is its help, and what it returns is
what `--json` prints. Nothing here imports torch, numpy or Pillow before a command really runs.
"""
