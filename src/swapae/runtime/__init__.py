"""How the networks are run: the same numbers in less memory and time."""
