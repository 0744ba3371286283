"""A page that runs a model on its visitor's own machine: files alone, for any server of files."""
