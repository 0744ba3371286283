"""`python -m swapae` is the program `swapae`."""

from swapae.cli.main import run

if __name__ == "__main__":
    run()
