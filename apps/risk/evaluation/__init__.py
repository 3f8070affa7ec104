"""Measured figures: one module per subject of `manage.py evaluate`."""
