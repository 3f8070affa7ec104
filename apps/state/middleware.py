"""Every request has a trace id and somebody who made it: what it records and logs is found by either."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from apps.state.tracing import bind_actor, bind_trace

NOBODY = "nobody"  # has not signed in

Answer = Callable[[HttpRequest], HttpResponse]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponse]]


@sync_and_async_middleware
def who_and_what(get_response: Any) -> Answer | AsyncAnswer:
    """Bind a fresh trace id and the signed-in person to each request."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponse:
            with _bound(request):
                response: HttpResponse = await get_response(request)
                return response

        return answer_later

    def answer(request: HttpRequest) -> HttpResponse:
        with _bound(request):
            response: HttpResponse = get_response(request)
            return response

    return answer


@contextmanager
def _bound(request: HttpRequest) -> Iterator[None]:
    with bind_trace(uuid.uuid4().hex), bind_actor(lambda: _name_of(request)):
        yield


def _name_of(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return (user.get_username() if user is not None else "") or NOBODY
