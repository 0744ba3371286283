"""Pages that the program writes: one file each, which loads nothing and takes foreign text for text."""
