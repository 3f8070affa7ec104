"""Addresses of the API. Whoever comes in is asked here and not by the pages' log-in, which would send a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.api import pages
from apps.api.assembly import api
from apps.api.problems import RequestError, not_allowed, on_missing, on_request_error, on_unexpected
from apps.state.tracing import current_trace

View = Callable[..., HttpResponse]
#: Nothing that can be asked for is longer.
BODY_BYTES_MAX = 64 * 1024
#: Under this id the log has everything about the request.
TRACE_HEADER = "X-Trace-Id"
_WITH_BODY = ("POST", "PUT", "PATCH")


def answering(view: View) -> View:
    """Return the view with every way out a problem+json, and no request let in that no database could keep."""

    @login_not_required
    @csrf_exempt  # the session's authentication asks for the token itself
    @never_cache
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            _check(request)
            response = view(request, *args, **kwargs)
        except RequestError as error:
            return on_request_error(request, error)
        except Exception as error:  # noqa: BLE001  # the last door: its handler logs it
            return on_unexpected(request, error)
        if response.status_code == 405:
            response = not_allowed(request, response["Allow"])
        response[TRACE_HEADER] = current_trace()
        return response

    return answered


def _check(request: HttpRequest) -> None:
    text = request.path + request.META.get("QUERY_STRING", "")
    if "\x00" in text or "%00" in text:
        raise _unreadable("The address holds a NUL character.")
    if request.method not in _WITH_BODY:
        return
    told_length = str(request.META.get("CONTENT_LENGTH") or 0)
    if not told_length.isdecimal():
        raise _unreadable("The body's length is no number.")
    # Who sends in pieces tells no length beforehand.
    if int(told_length) > BODY_BYTES_MAX or len(request.body) > BODY_BYTES_MAX:
        raise RequestError(
            f"The body is longer than {BODY_BYTES_MAX} bytes.",
            status=413,
            code="BODY_TOO_LARGE",
            remedy="Send less.",
        )
    try:
        told = json.dumps(json.loads(request.body or b"null"), ensure_ascii=False)
        if "\\u0000" in told:
            raise _unreadable("The body holds a NUL character.")
        told.encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise _unreadable("The body is no JSON.") from error


def _unreadable(words: str) -> RequestError:
    return RequestError(
        words, status=400, code="UNREADABLE", remedy="Send UTF-8 text without control characters."
    )


@answering
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Answer an address that is none."""
    return on_missing(request, Exception())


patterns, _app_name, _namespace = api.urls
for _pattern in patterns:
    assert _pattern.callback is not None
    _pattern.callback = answering(_pattern.callback)

app_name = "api"
urlpatterns = [
    path("tokens/", pages.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke/", pages.token_revoke_one, name="token_revoke"),
    path("api/v1/openapi.json", answering(pages.openapi), name="openapi"),
    path("api/v1/docs", pages.documentation, name="docs"),
    path("api/v1/", include(patterns)),
    re_path(r"^api/", nothing_here),
]
