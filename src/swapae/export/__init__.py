"""Models in the forms other programs run."""
