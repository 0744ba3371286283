"""How the networks are run: the same numbers in less time and memory, and the choice between ways."""
