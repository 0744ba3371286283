"""Checkpoints of other programs, both ways."""

from swapae.convert.official import NOTICE, ConversionReport, convert_official, export_official

__all__ = ["NOTICE", "ConversionReport", "convert_official", "export_official"]
