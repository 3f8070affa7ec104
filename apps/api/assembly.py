"""The API as a whole: its routes, who may come in, how errors are told, and its own description."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ninja import NinjaAPI

from apps.api.authentication import BearerToken, SignedIn
from apps.api.limits import CallerThrottle
from apps.api.problems import HANDLERS, MEDIA_TYPE
from apps.api.routes import autotrade, intelligence, system, trading

VERSION = "1.0"
_DESCRIPTION = (
    "Everything the pages show and do. Money is decimal text with its unit in the name; raw amounts are integers as text,"
    " in a token's smallest unit; times are UTC. Lists come in parts. Errors are problem+json (RFC 9457)."
)

api = NinjaAPI(
    title="DEX Sniper Pro",
    version=VERSION,
    description=_DESCRIPTION,
    urls_namespace="api",
    auth=[BearerToken(), SignedIn()],
    throttle=[CallerThrottle()],
    openapi_url=None,  # ours asks who wants it
    docs_url=None,
)
api.add_router("/autotrade", autotrade.router)
api.add_router("", trading.router)
api.add_router("/intelligence", intelligence.router)
api.add_router("", system.router)
for _kind, _handler in HANDLERS.items():
    api.add_exception_handler(_kind, _handler)


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """Return the API's OpenAPI 3.1 description, made once."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    for operations in found["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    content = answer["content"]
                    answer["content"] = {MEDIA_TYPE: next(iter(content.values()))}
    return found
