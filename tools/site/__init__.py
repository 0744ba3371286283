"""The documentation site: `docs/` and what it links to, as pages that load nothing from outside."""
