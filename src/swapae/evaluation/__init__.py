"""Measuring a model: where data, metrics and the model meet."""
