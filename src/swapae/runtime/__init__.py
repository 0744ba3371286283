"""Other ways to run the networks, and the choice between them by measurement."""
