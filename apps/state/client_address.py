"""Whose request it is behind a proxy: without this every request would come from the proxy's own address.

The last address of X-Forwarded-For is the one that our proxy saw itself; whatever stands before it a client may have written.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def address_from_proxy(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Put the address that the proxy saw in the place of the proxy's; in use behind TLS alone (docs/security.md)."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> Any:
            _take_over(request)
            return await get_response(request)

        return answer_later

    def answer(request: HttpRequest) -> Any:
        _take_over(request)
        return get_response(request)

    return answer


def _take_over(request: HttpRequest) -> None:
    hop = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(hop.partition("%")[0])
    except ValueError:  # asked on this machine, without the proxy
        return
    request.META["REMOTE_ADDR"] = str(address)
