"""From a set of images to a pack of them, at their size, that any training reads."""
