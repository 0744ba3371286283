"""What makes the documentation of the project: site, references, pictures. Not part of the package."""
