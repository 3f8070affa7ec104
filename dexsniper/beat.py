"""Beat's own Celery app: it sends names at their times and needs none of our code, so it starts at once and stays small."""

from __future__ import annotations

import logging.config

from celery import Celery
from django.conf import settings

from dexsniper.celery import configure

logging.config.dictConfig(settings.LOGGING)  # elsewhere Django does it
app = Celery("dexsniper-beat", fixups=[])
configure(app)
