"""The studio: a page in the browser in which images are edited, and the server behind it (docs/studio.md)."""
