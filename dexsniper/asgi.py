"""HTTP and WebSocket entry point."""

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

from dexsniper import env

env.prepare()
_http = get_asgi_application()  # loads the apps before anything of theirs is imported

import dexsniper.urls  # noqa: E402, F401  # else the first page would wait for all views and admins
from apps.api.sockets import websocket_urlpatterns as json_sockets  # noqa: E402
from apps.dashboard.routing import websocket_urlpatterns as page_sockets  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": _http,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([*page_sockets, *json_sockets]))
        ),
    }
)
