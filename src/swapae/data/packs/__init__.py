"""Places in which many images lie encoded: a folder, a zip, tar shards, an LMDB, a Hugging Face set."""
