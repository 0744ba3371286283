"""What is wrong with a set of images before anything is trained on it."""
