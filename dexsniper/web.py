"""What the web server runs: the application, and its signs of life."""

from apps.api import web_beat
from dexsniper.asgi import application

__all__ = ["application"]

web_beat.start()
