"""The project: entry points only, no rules."""

from dexsniper.celery import app as celery_app

__all__ = ["celery_app"]
