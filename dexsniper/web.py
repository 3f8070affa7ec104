"""What the web server runs: the application, and its signs of life."""

from dexsniper.asgi import application  # loads the apps before anything of theirs is imported

# isort: split
from apps.api import web_beat

__all__ = ["application"]

web_beat.start()
