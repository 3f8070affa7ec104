"""HTTP and WebSocket entry point."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import re_path

from dexsniper import env

env.prepare()
_http = get_asgi_application()  # loads the apps before anything of theirs is imported

import dexsniper.urls  # noqa: E402, F401  # else the first page would wait for all views and admins
from apps.api.sockets import websocket_urlpatterns as json_sockets  # noqa: E402
from apps.dashboard.routing import websocket_urlpatterns as page_sockets  # noqa: E402

_pages: Any = AuthMiddlewareStack(URLRouter(page_sockets))
application = ProtocolTypeRouter(
    {
        "http": _http,
        "websocket": AllowedHostsOriginValidator(
            # The JSON sockets look their clients' sessions up themselves, many at once.
            URLRouter([*json_sockets, re_path(r"", _pages)])
        ),
    }
)
